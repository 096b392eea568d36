import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { DomainError, isDomainError } from '@cardwright/protocol';
import { encodeFrame, FrameReader } from './framing.ts';
import { errorToWire, type LinkAnswer, type LinkRequest, parseRequest } from './messages.ts';

/** Gets the params as they came (nobody has judged them yet); what it gives must survive JSON. */
export type LinkHandler = (params: unknown) => Promise<unknown>;

export interface LinkServerOptions {
  /** At most 107 bytes (sun_path, unix(7)). Its directory is the caller's and decides who may come near. */
  readonly socketPath: string;
  readonly handlers: Readonly<Record<string, LinkHandler>>;
  /** Everything that is not a refusal (DomainError): the far side is told only `internal`. `op` is '' for the socket. */
  readonly onError: (error: unknown, op: string) => void;
  /** Requests of one connection being worked on at once; the rest stay unread in the socket. */
  readonly maxInFlight?: number;
  /** How long `close` waits for requests already begun. */
  readonly closeGraceMs?: number;
}

/** The callers are a few processes of ours, each with one connection. */
const MAX_CONNECTIONS = 128;

export interface LinkServer {
  /** Reads nothing more, lets what has begun finish and be answered, removes the socket file. */
  close(): Promise<void>;
}

/** @throws DomainError `link-socket-in-use` (conflict): a live process answers on this path. */
export async function serveLink(options: LinkServerOptions): Promise<LinkServer> {
  if (await isAlive(options.socketPath)) {
    throw new DomainError(
      'conflict',
      'link-socket-in-use',
      `Another process answers on ${options.socketPath}; stop it, or choose another path.`,
    );
  }
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = new Connection(socket, options, () => connections.delete(connection));
    connections.add(connection);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listenPrivately(server, options.socketPath);
  server.on('error', (error) => options.onError(error, ''));

  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(options.socketPath, { force: true });
      await Promise.all([...connections].map((connection) => connection.finish(options.closeGraceMs ?? 5000)));
      await closed;
    },
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #options: LinkServerOptions;
  readonly #reader = new FrameReader();
  readonly #maxInFlight: number;
  #waiting: LinkRequest[] = [];
  #inFlight = 0;
  #finishing = false;
  #outgoing: Buffer[] = [];
  #idle: (() => void) | undefined;

  constructor(socket: Socket, options: LinkServerOptions, onClose: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#maxInFlight = options.maxInFlight ?? 256;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('drain', () => this.#start());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#waiting = [];
      onClose();
      this.#idle?.();
    });
  }

  async finish(graceMs: number): Promise<void> {
    this.#finishing = true;
    this.#socket.pause();
    this.#waiting = [];
    if (this.#inFlight > 0 && !this.#socket.destroyed) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#idle = resolve;
        }),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, graceMs);
        }),
      ]);
      clearTimeout(timer);
    }
    this.#flush();
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.end(resolve);
    });
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (const value of this.#reader.push(chunk)) this.#waiting.push(parseRequest(value));
    } catch (error) {
      // The stream has lost its sense; who sends such bytes is no client of ours.
      this.#options.onError(error, '');
      this.#socket.destroy();
      return;
    }
    this.#start();
  }

  /** Backpressure both ways: a peer with too many requests, or that does not read its answers, is not read from. */
  #start(): void {
    while (this.#inFlight < this.#maxInFlight && !this.#socket.writableNeedDrain) {
      const request = this.#waiting.shift();
      if (request === undefined) break;
      this.#inFlight += 1;
      void this.#handle(request);
    }
    if (this.#finishing) return;
    if (this.#waiting.length > 0) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  async #handle({ id, op, params }: LinkRequest): Promise<void> {
    let frame: Buffer;
    try {
      const handler = Object.hasOwn(this.#options.handlers, op) ? this.#options.handlers[op] : undefined;
      if (handler === undefined) {
        throw new DomainError('invalid', 'link-operation-unknown', 'The service has no operation of this name.');
      }
      const ok = await handler(params);
      frame = encodeFrame({ id, ok: ok === undefined ? null : ok } satisfies LinkAnswer);
    } catch (error) {
      if (!isDomainError(error) || error.kind === 'internal') this.#options.onError(error, op);
      frame = encodeFrame({ id, error: errorToWire(error) } satisfies LinkAnswer);
    }
    this.#inFlight -= 1;
    if (!this.#socket.destroyed) this.#send(frame);
    if (this.#inFlight === 0) this.#idle?.();
    this.#start();
  }

  // Answers that become ready in the same turn (a group commit frees many at once) go out in one write.
  #send(frame: Buffer): void {
    if (this.#outgoing.push(frame) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#socket.destroyed) return;
    this.#socket.write(this.#outgoing.length === 1 ? (this.#outgoing[0] as Buffer) : Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }
}

/** The socket is made in a directory that only we can enter, and moved into place when its mode is 0600. */
async function listenPrivately(server: Server, socketPath: string): Promise<void> {
  const directory = await mkdtemp(join(dirname(socketPath), '.link-'));
  const made = join(directory, 's');
  try {
    if (Buffer.byteLength(made) > 107 || Buffer.byteLength(socketPath) > 107) {
      throw new DomainError('invalid', 'link-socket-path-too-long', `${basename(socketPath)} is too deep: 107 bytes.`);
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(made, () => {
        server.off('error', reject);
        resolve();
      });
    });
    await chmod(made, 0o600);
    await rename(made, socketPath);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A file that nobody listens on is what a killed process left behind. */
function isAlive(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(socketPath);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false);
      // A full backlog is a busy process, not a dead one.
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}
