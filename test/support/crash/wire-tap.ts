import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server, type Socket } from 'node:net';
import type { Tap } from './http-tap.ts';

/** What a protocol does with the bytes of one connection, in their order. What it gives is handed on. */
export interface WireSides {
  /** Null cuts both sides off. */
  readonly fromClient: (chunk: Buffer) => Promise<Buffer | null>;
  readonly fromServer: (chunk: Buffer) => Promise<Buffer | null>;
}

export interface WireTap extends Tap {
  readonly server: Server;
}

/** Stands between a client and a server that talk over a stream. A side that ends ends the other one. */
export async function wireTap(
  listen: ListenOptions,
  target: () => NetConnectOpts,
  open: () => WireSides,
): Promise<WireTap> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target());
    const sides = open();
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    pump(client, upstream, sides.fromClient, cut);
    pump(upstream, client, sides.fromServer, cut);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, resolve);
  });
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** One chunk after the other, so that a message which is held holds what comes after it. */
function pump(from: Socket, to: Socket, side: (chunk: Buffer) => Promise<Buffer | null>, cut: () => void): void {
  let turn: Promise<void> = Promise.resolve();
  from.on('data', (chunk: Buffer) => {
    turn = turn.then(async () => {
      const passed = await side(chunk);
      if (passed === null) cut();
      else if (passed.length > 0 && !to.destroyed) to.write(passed);
    });
    turn.catch(cut);
  });
}

/** Collects bytes and gives the messages that are whole. */
export class Messages {
  #kept: Buffer = Buffer.alloc(0);
  readonly #lengthOf: (bytes: Buffer) => number | null;

  /** @param lengthOf of the message that begins there, all of it; null when that can't be told yet. */
  constructor(lengthOf: (bytes: Buffer) => number | null) {
    this.#lengthOf = lengthOf;
  }

  push(chunk: Buffer): Buffer[] {
    this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const whole: Buffer[] = [];
    for (;;) {
      const length = this.#lengthOf(this.#kept);
      if (length === null || length > this.#kept.length) return whole;
      whole.push(this.#kept.subarray(0, length));
      this.#kept = this.#kept.subarray(length);
    }
  }
}
