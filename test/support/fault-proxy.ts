import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** When the fault strikes, seen from one request of the agent. */
export type Phase =
  | 'before' // the request is on its way
  | 'during' // the server has it
  | 'after'; // the server has answered, the agent has not heard it

export interface FaultProxy {
  /** What the agent is given as the server's address. */
  readonly url: string;
  /** The next request whose path ends so meets `strike`, once. */
  arm(pathEnd: string, phase: Phase, strike: () => Promise<void>): void;
  /** True when the armed fault has struck. */
  struck(): boolean;
  close(): Promise<void>;
}

/** Stands between the agent and cms, and lets something happen at an exact point of their conversation. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let armed: { pathEnd: string; phase: Phase; strike: () => Promise<void> } | undefined;
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await collect(incoming);
    const fault = armed !== undefined && incoming.url?.endsWith(armed.pathEnd) ? armed : undefined;
    if (fault !== undefined) armed = undefined;
    if (fault?.phase === 'before') await fault.strike();
    const answered = forward(incoming, body);
    // Some milliseconds: the request is then being worked on. Where exactly is left to chance, on purpose.
    if (fault?.phase === 'during') setTimeout(() => void fault.strike(), Math.random() * 12);
    const answer = await answered;
    if (fault?.phase === 'after') {
      await fault.strike();
      outgoing.destroy();
      return;
    }
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
    arm: (pathEnd, phase, strike) => {
      armed = { pathEnd, phase, strike };
    },
    struck: () => armed === undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
