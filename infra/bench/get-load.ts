import { connect } from 'node:net';

interface GetLoad {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
}

/**
 * Gets one path after the other over one kept-alive connection.
 * @param check sees each answer's body, outside the time that is taken
 * @returns milliseconds of each, from the request's first byte to the answer's last
 */
export async function getLoad(load: GetLoad, check: (body: string, number: number) => void): Promise<number[]> {
  const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  let wake: (error?: Error) => void = () => undefined;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    wake();
  });
  socket.on('error', (error) => wake(error)).on('close', () => wake(new Error('the connection was closed')));
  const arrived = () =>
    new Promise<void>((resolve, reject) => {
      wake = (error) => (error === undefined ? resolve() : reject(error));
    });
  const lines = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const times: number[] = [];
  for (const [number, path] of load.paths.entries()) {
    const began = performance.now();
    let more = arrived();
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${load.port}\r\n${lines.join('')}\r\n`);
    let body: string | null = null;
    while (body === null) {
      await more;
      more = arrived();
      more.catch(() => undefined);
      body = bodyOf(Buffer.concat(chunks));
    }
    times.push(performance.now() - began);
    chunks.length = 0;
    check(body, number);
  }
  socket.destroy();
  return times;
}

/** Null until all of it is there. */
function bodyOf(received: Buffer): string | null {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = received.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(received.toString('utf8', 0, 2000));
  if (Number.isNaN(length)) throw new Error(`an answer without content-length:\n${head}`);
  return received.length < end + 4 + length ? null : received.toString('utf8', end + 4, end + 4 + length);
}
