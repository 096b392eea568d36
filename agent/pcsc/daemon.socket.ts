import { connect, type Socket } from 'node:net';
import { DomainError } from '@cardwright/protocol';
import { header, notPcscd } from './messages.ts';
import type { Bytes } from './port.ts';

const CONNECT_TIMEOUT_MS = 5_000;

interface Waiting {
  readonly bytes: number;
  readonly resolve: (bytes: Bytes) => void;
  readonly reject: (error: DomainError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * One connection to pcscd, over its unix socket: our own code, because the agent ships as one file and can't load
 * libpcsclite. One request at a time. After any failure the connection is dead: a late answer could be taken for the next.
 */
export class DaemonConnection {
  readonly #socket: Socket;
  readonly #path: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;
  #dead: DomainError | undefined;

  private constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (cause) => this.#die(unavailable(path, cause)));
    socket.on('close', () =>
      this.#die(unavailable(path, new Error('it closed the connection; it may not let this user in'))),
    );
  }

  /** Throws `pcsc-unavailable`. */
  static open(path: string): Promise<DaemonConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path });
      const timer = setTimeout(() => socket.destroy(new Error('connecting took too long')), CONNECT_TIMEOUT_MS);
      socket.once('error', (cause) => {
        clearTimeout(timer);
        reject(unavailable(path, cause));
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new DaemonConnection(path, socket));
      });
    });
  }

  /** Sends a command with its structure, and `more` bytes that follow it; gives an answer of exactly that many bytes. */
  async request(
    command: number,
    body: Bytes,
    answerBytes: number,
    { timeoutMs, more = new Uint8Array() }: { readonly timeoutMs: number; readonly more?: Bytes },
  ): Promise<Bytes> {
    if (this.#received.length > 0) this.#die(notPcscd('it said more than it was asked'));
    const message = Buffer.concat([header(command, body.length), body, more]);
    const answer = this.read(answerBytes, timeoutMs);
    if (this.#dead === undefined) this.#socket.write(message);
    try {
      return await answer;
    } finally {
      // An APDU may hold a key.
      message.fill(0);
    }
  }

  /** What follows an answer. */
  read(bytes: number, timeoutMs: number): Promise<Bytes> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      if (this.#waiting !== undefined) throw new Error('one request at a time');
      const timer = setTimeout(() => this.#die(timedOut(this.#path, timeoutMs)), timeoutMs);
      this.#waiting = { bytes, resolve, reject, timer };
      this.#deliver();
    });
  }

  close(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once('close', () => resolve());
      this.#die(unavailable(this.#path, new Error('closed by us')));
    });
  }

  #take(chunk: Buffer): void {
    const expected = this.#waiting?.bytes ?? 0;
    if (this.#waiting === undefined && this.#received.length === 0) this.#die(notPcscd('it speaks unasked'));
    // The rest of an answer may come together with its beginning; more than one APDU's worth never does.
    else if (this.#received.length + chunk.length > expected + 2 * 65_600) this.#die(notPcscd('it says too much'));
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    this.#deliver();
  }

  #deliver(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#received.length < waiting.bytes) return;
    clearTimeout(waiting.timer);
    this.#waiting = undefined;
    const answer = new Uint8Array(this.#received.subarray(0, waiting.bytes));
    this.#received = this.#received.subarray(waiting.bytes);
    waiting.resolve(answer);
  }

  #die(error: DomainError): void {
    this.#dead ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) {
      clearTimeout(waiting.timer);
      waiting.reject(this.#dead);
    }
    this.#socket.destroy();
  }
}

function unavailable(path: string, cause: unknown): DomainError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  const detail = `No PC/SC service answers at ${path}${why}. Install and start pcscd, or name its socket in PCSCLITE_CSOCK_NAME.`;
  return new DomainError('unavailable', 'pcsc-unavailable', detail, { cause });
}

function timedOut(path: string, timeoutMs: number): DomainError {
  const detail = `The PC/SC service at ${path} gave no answer within ${timeoutMs / 1000} seconds.`;
  return new DomainError('unavailable', 'pcsc-timeout', detail);
}
