import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { NotAsked } from './not-asked.ts';
import { badAnswer, unavailable } from './refusals.ts';

/** Whom to trust and who we are, in PEM. Nothing is taken from the system's trust store. */
export interface TlsIdentity {
  readonly trust: string;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface Question {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Exchange = (question: Question, signal: AbortSignal) => Promise<HttpAnswer>;

/** A chain of ten certificates in PEM, and much to spare. */
const MOST_BYTES = 256 * 1024;

/**
 * One question on a connection of its own, so that it is always known whether the CA can have heard it. No redirect is
 * followed: the address is the configuration's.
 * @param tls null for plain HTTP, which the configuration allows within this machine only
 */
export function createExchange(tls: TlsIdentity | null): Exchange {
  return (question, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) throw new NotAsked('Nobody waits for it any more.', signal.reason);
      let connected = false;
      const options = { method: question.method, headers: headersOf(question), agent: false as const, signal };
      const outgoing =
        tls === null
          ? requestPlain(question.url, options)
          : requestOverTls(question.url, { ...options, ...identityOf(tls), minVersion: 'TLSv1.2' });
      outgoing.on('socket', (socket) => {
        socket.once(tls === null ? 'connect' : 'secureConnect', () => {
          connected = true;
        });
      });
      outgoing.on('error', (error) => reject(connected ? unanswered(error) : notReached(error)));
      outgoing.on('response', (incoming) => {
        collect(incoming).then(
          (body) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }),
          (error: unknown) => {
            outgoing.destroy();
            reject(error);
          },
        );
      });
      outgoing.end(question.body);
    });
}

const headersOf = ({ headers, body }: Question): RequestOptions['headers'] => ({
  ...headers,
  connection: 'close',
  ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
});

const identityOf = ({ trust, certificate, key }: TlsIdentity) => ({
  ca: trust,
  ...(certificate === undefined ? {} : { cert: certificate }),
  ...(key === undefined ? {} : { key }),
});

async function collect(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MOST_BYTES) {
        throw badAnswer('ca-answer-too-large', `The answer of the CA has more than ${MOST_BYTES} bytes.`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Error && 'kind' in error ? error : unanswered(error);
  }
  return Buffer.concat(chunks);
}

/** The cause's own words are for the log: they name hosts and files. */
const notReached = (cause: unknown) => new NotAsked('The CA can not be reached, or is not who it should be.', cause);
const unanswered = (cause: unknown) => unavailable('The CA was asked and did not answer to the end.', cause);
