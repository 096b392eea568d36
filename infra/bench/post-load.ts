import { connect } from 'node:net';

export interface PostLoad {
  readonly port: number;
  readonly path: string;
  readonly contentType: string;
  readonly connections: number;
  /** Sent one after the other, from the first again after the last. */
  readonly bodies: readonly Buffer[];
  readonly count: number;
  /** Sees each answer's body; throws when it is not right. */
  readonly check: (body: Buffer, sent: number) => void;
}

/**
 * Posts `count` binary bodies over so many connections, kept alive where the server lets them be, one request under way
 * on each. @returns answers a second. What is sent is made beforehand, and an answer is looked at only as far as it must
 * be to find its end: this client shares the machine with what it measures.
 */
export async function postLoad(load: PostLoad): Promise<number> {
  const wires = load.bodies.map((body) =>
    Buffer.concat([
      Buffer.from(
        `POST ${load.path} HTTP/1.1\r\nHost: 127.0.0.1:${load.port}\r\nContent-Type: ${load.contentType}\r\n` +
          `Content-Length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]),
  );
  let next = 0;
  const began = performance.now();
  await Promise.all(Array.from({ length: load.connections }, () => oneConnection(load, wires, () => next++)));
  return load.count / ((performance.now() - began) / 1000);
}

function oneConnection(load: PostLoad, wires: readonly Buffer[], take: () => number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = take();
    if (sent >= load.count) {
      resolve();
      return;
    }
    let socket = open();

    function open() {
      const fresh = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
      let received: Buffer | null = null;
      let done = false;
      fresh.once('connect', () => fresh.write(wireOf(sent)));
      fresh.on('data', (chunk: Buffer) => {
        received = received === null ? chunk : Buffer.concat([received, chunk]);
        const answer = complete(received);
        if (answer === null) return;
        received = null;
        done = answer.last;
        try {
          if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
          load.check(answer.body, sent % wires.length);
        } catch (error) {
          fresh.destroy();
          reject(error);
          return;
        }
        sent = take();
        if (sent >= load.count) {
          done = true;
          fresh.destroy();
          resolve();
        } else if (answer.last) {
          fresh.destroy();
          socket = open();
        } else fresh.write(wireOf(sent));
      });
      fresh.on('error', reject);
      fresh.on('close', () => {
        if (!done) reject(new Error('the connection was closed in the midst of an answer'));
      });
      return fresh;
    }

    const wireOf = (number: number): Buffer => wires[number % wires.length] as Buffer;
    socket.setNoDelay(true);
  });
}

interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** The server closes the connection after it. */
  readonly last: boolean;
}

/** null: there is more to come. */
function complete(received: Buffer): HttpAnswer | null {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = received.toString('latin1', 0, end);
  const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
  if (Number.isNaN(length)) throw new Error(`an answer without content-length:\n${head}`);
  if (received.length < end + 4 + length) return null;
  const last = head.startsWith('HTTP/1.0') ? !/connection: *keep-alive/i.test(head) : /connection: *close/i.test(head);
  return { status: Number(head.slice(9, 12)), body: received.subarray(end + 4, end + 4 + length), last };
}
