import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { DomainError } from '@cardwright/protocol';
import type { Bytes } from '@cardwright/protocol/tpm';
import type { Transport } from './transport.ts';
import { claimedSize, cutShort, timedOut, tooMany, unreachable } from './transport-errors.ts';

const CONNECT_TIMEOUT_MS = 5_000;

interface Waiting {
  readonly resolve: (response: Bytes) => void;
  readonly reject: (error: DomainError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A software TPM's data channel, over TCP or a unix socket: bare commands and responses, framed by their own size field.
 * swtpm accepts a second client only when the first has gone: until then that one waits and times out.
 */
export async function openSocket(
  where: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<Transport> {
  const target = 'path' in where ? where.path : `${where.host}:${where.port}`;
  return new SocketTransport(target, await dial(where, target));
}

function dial(where: NetConnectOpts, target: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error('connecting took too long')), CONNECT_TIMEOUT_MS);
    socket.once('error', (cause) => {
      clearTimeout(timer);
      reject(unreachable(target, cause));
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

class SocketTransport implements Transport {
  readonly target: string;
  readonly managed = false;
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #received: Buffer = Buffer.alloc(0);
  #dead: DomainError | undefined;

  constructor(target: string, socket: Socket) {
    this.target = target;
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (cause) => this.#die(unreachable(target, cause)));
    socket.on('close', () => this.#die(this.#ending()));
  }

  exchange(command: Bytes, timeoutMs: number): Promise<Bytes> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      if (this.#waiting !== undefined) throw new Error('one command at a time');
      const timer = setTimeout(() => {
        this.#die(this.#received.length > 0 ? this.#ending() : timedOut(this.target, timeoutMs));
      }, timeoutMs);
      this.#waiting = { resolve, reject, timer };
      this.#socket.write(command);
    });
  }

  close(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once('close', () => resolve());
      this.#die(unreachable(this.target, new Error('closed by us')));
    });
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      const waiting = this.#waiting;
      if (waiting === undefined) throw tooMany(this.target);
      if (this.#received.length < 6) return;
      const size = claimedSize(this.#received, this.target);
      if (this.#received.length > size) throw tooMany(this.target);
      if (this.#received.length === size) this.#deliver(waiting);
    } catch (error) {
      this.#die(error instanceof DomainError ? error : unreachable(this.target, error));
    }
  }

  #deliver(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#waiting = undefined;
    const response = new Uint8Array(this.#received);
    this.#received = Buffer.alloc(0);
    waiting.resolve(response);
  }

  #ending(): DomainError {
    const got = this.#received.length;
    if (got === 0) return unreachable(this.target, new Error('it closed the connection'));
    return cutShort(this.target, got, got < 6 ? 10 : this.#received.readUInt32BE(2));
  }

  #die(error: DomainError): void {
    this.#dead ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) {
      clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    this.#socket.destroy();
  }
}
