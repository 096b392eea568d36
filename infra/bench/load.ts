import { connect, type Socket } from 'node:net';

export interface LoadRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LoadResult {
  readonly perSecond: number;
  /** Milliseconds from the request's first byte to the answer's last. */
  readonly median: number;
  readonly p99: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly requests: readonly LoadRequest[];
  readonly expectedStatus: number;
  /** Sees each answer's body, for a caller that needs it. */
  readonly onBody?: (body: string, index: number) => void;
}

/**
 * Sends each request once with POST, over so many kept-alive connections with one request under way on each. The client
 * is as thin as it can be, because it shares the machine with what it measures. Any other status ends it with an error.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { requests } = options;
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(options.connections, requests.length) }, async () => {
      const connection = await openConnection(options.port);
      for (let index = next++; index < requests.length; index = next++) {
        const sent = performance.now();
        const { status, body } = await connection.exchange(toWire(requests[index] as LoadRequest, options.port));
        times.push(performance.now() - sent);
        if (status !== options.expectedStatus) throw new Error(`answered ${status}: ${body.slice(0, 500)}`);
        options.onBody?.(body, index);
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { perSecond: requests.length / seconds, median: at(0.5), p99: at(0.99) };
}

function toWire({ path, headers, body }: LoadRequest, port: number): string {
  const all = { host: `127.0.0.1:${port}`, 'content-type': 'application/json', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

interface Connection {
  exchange(request: string): Promise<{ status: number; body: string }>;
  close(): void;
}

/** Understands answers with a content-length, which is what both sides of the comparison send. */
async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let received = '';
  let waiting: { resolve(answer: { status: number; body: string }): void; reject(error: Error): void } | null = null;
  const fail = (error: Error) => waiting?.reject(error);
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = received.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) return fail(new Error(`an answer without content-length:\n${head}`));
    if (received.length < end + 4 + Number(length)) return;
    const body = received.slice(end + 4, end + 4 + Number(length));
    received = received.slice(end + 4 + Number(length));
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  });
  socket.on('error', fail).on('close', () => fail(new Error('the connection was closed')));
  return {
    exchange: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => {
      waiting = null;
      socket.destroy();
    },
  };
}
