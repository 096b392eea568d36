import { connect, type Socket } from 'node:net';
import { DomainError } from '@cardwright/protocol';
import { encodeFrame, FrameReader } from './framing.ts';
import { errorFromWire, parseAnswer } from './messages.ts';

export interface LinkClientOptions {
  readonly socketPath: string;
  /** Names the far side in error codes: `vault` gives `vault-unavailable`. */
  readonly service: string;
  /** From the call to its answer, connecting included. */
  readonly timeoutMs?: number;
  /** Calls without an answer yet; one more is refused with `<service>-busy`. */
  readonly maxPending?: number;
}

export interface LinkClient {
  /**
   * Connects when needed. A call is sent at most once: after `<service>-unavailable` or `<service>-timeout` it may or
   * may not have been done, and only the caller knows whether asking again is safe.
   * @throws DomainError of the far side; or `<service>-unavailable`, `-timeout`, `-busy` (unavailable).
   */
  call<T = unknown>(op: string, params: unknown): Promise<T>;
  /** Refuses new calls, waits for those under way, disconnects. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: DomainError) => void;
  readonly timer: NodeJS.Timeout;
  readonly socket: Socket;
}

export function connectLink(options: LinkClientOptions): LinkClient {
  const { socketPath, service } = options;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const maxPending = options.maxPending ?? 2048;
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let socket: Socket | undefined;
  let outgoing: Buffer[] = [];
  let closing = false;
  let drained: (() => void) | undefined;

  const unavailable = (detail: string, cause?: unknown) =>
    new DomainError('unavailable', `${service}-unavailable`, detail, cause === undefined ? {} : { cause });

  function settle(id: number): Pending | undefined {
    const call = pending.get(id);
    if (call === undefined) return undefined;
    clearTimeout(call.timer);
    pending.delete(id);
    if (pending.size === 0) drained?.();
    return call;
  }

  function lose(lost: Socket, cause?: unknown): void {
    if (socket === lost) {
      socket = undefined;
      outgoing = [];
    }
    lost.destroy();
    for (const [id, call] of pending) {
      if (call.socket === lost) settle(id)?.reject(unavailable(`the ${service} service does not answer`, cause));
    }
  }

  function open(): Socket {
    const opened = connect(socketPath);
    const reader = new FrameReader();
    opened.on('data', (chunk) => {
      try {
        for (const value of reader.push(chunk)) {
          const answer = parseAnswer(value);
          const call = settle(answer.id);
          // No call: it has timed out, and its late answer is of no use to anybody.
          if ('error' in answer) call?.reject(errorFromWire(answer.error));
          else call?.resolve(answer.ok);
        }
      } catch (cause) {
        lose(opened, cause);
      }
    });
    opened.on('error', (cause) => lose(opened, cause));
    opened.on('end', () => lose(opened));
    opened.on('close', () => lose(opened));
    return opened;
  }

  // Calls made in the same turn share one write.
  function send(frame: Buffer): void {
    if (outgoing.push(frame) > 1) return;
    queueMicrotask(() => {
      const frames = outgoing;
      outgoing = [];
      if (frames.length > 0) socket?.write(Buffer.concat(frames));
    });
  }

  return {
    call<T>(op: string, params: unknown): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (closing) throw unavailable(`the connection to the ${service} service is closed`);
        if (pending.size >= maxPending) {
          throw new DomainError('unavailable', `${service}-busy`, `More than ${maxPending} calls await the ${service}`);
        }
        const id = nextId++;
        const frame = encodeFrame({ id, op, params });
        socket ??= open();
        const timer = setTimeout(() => {
          settle(id)?.reject(
            new DomainError('unavailable', `${service}-timeout`, `No answer of ${service} within ${timeoutMs} ms.`),
          );
        }, timeoutMs);
        pending.set(id, { resolve: (value) => resolve(value as T), reject, timer, socket });
        send(frame);
      });
    },

    async close() {
      closing = true;
      if (pending.size > 0) {
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
      const last = socket;
      socket = undefined;
      if (last === undefined || last.destroyed) return;
      await new Promise<void>((resolve) => {
        last.once('close', () => resolve());
        last.destroy();
      });
    },
  };
}
