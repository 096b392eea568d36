import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Crossings } from './crossings.ts';

export interface Tap {
  close(): Promise<void>;
}

export interface HttpTap extends Tap {
  /** What the caller is given as the server's address. */
  readonly url: string;
}

/** Between a caller of the API and cms. What only reads is no step. */
export async function httpTap(crossings: Crossings, ends: readonly [string, string], target: string): Promise<HttpTap> {
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await collect(incoming);
    const visible = incoming.method !== 'GET';
    const crossing = { name: `${ends.join(' > ')}: ${incoming.method} ${lastName(incoming.url)}`, ends };
    if (visible && (await crossings.cross(crossing, 'before'))) return void outgoing.destroy();
    const answer = await forward(incoming, body);
    if (visible && (await crossings.cross(crossing, 'after'))) return void outgoing.destroy();
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  function forward(incoming: IncomingMessage, body: Buffer) {
    return new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>((resolve, reject) => {
      const options = { method: incoming.method, headers: incoming.headers, agent: false as const };
      const outgoing = request(new URL(incoming.url ?? '/', target), options, (answer) => {
        collect(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The path's last part that is a word and no id. */
function lastName(url = '/'): string {
  const words = url
    .split('?')[0]
    ?.split('/')
    .filter((part) => /^[a-z][a-z-]+$/.test(part));
  return words?.at(-1) ?? url;
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
