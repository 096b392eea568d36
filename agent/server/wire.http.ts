import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DomainError } from '@cardwright/protocol';
import { toPem } from '../enrolment/certificate-check.ts';
import type { ProxyServer } from './proxy.ts';

/** How a server is reached, and whom TLS takes for it. */
export interface Route {
  readonly baseUrl: string;
  /** DER. The one CA whose certificates are taken (pinned); undefined: those that this system trusts. */
  readonly trustedCa: Uint8Array | undefined;
  readonly proxy: ProxyServer | undefined;
}

export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** For the whole of it, body included. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface WireResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
  readonly body: string;
}

/** Thrown where the time was over. */
export class TimedOut extends Error {}
/** Thrown where the answer has more bytes than were allowed. */
export class TooLarge extends Error {}
/** Thrown where the signal was aborted. */
export class Stopped extends Error {}

/** Connections to one server, kept open between requests. They keep no process alive. */
export class Wire {
  readonly #route: Route;
  readonly #agent: HttpAgent;
  readonly #secure: boolean;

  constructor(route: Route) {
    this.#route = route;
    this.#secure = new URL(route.baseUrl).protocol === 'https:';
    this.#agent = this.#secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** Throws the errors above, those of the proxy, and what node:http, node:tls and node:net throw, with their codes. */
  async send(request: WireRequest): Promise<WireResponse> {
    const until = Date.now() + request.timeoutMs;
    const { proxy } = this.#route;
    const tunnel = proxy && (await openTunnel(proxy, this.#route.baseUrl, request.timeoutMs, request.signal));
    const options: RequestOptions = {
      method: request.method,
      headers: { ...request.headers, ...(request.body === undefined ? {} : lengthOf(request.body)) },
      ...(tunnel === undefined ? { agent: this.#agent } : { createConnection: () => this.#secured(tunnel) }),
      ...(this.#secure ? this.#anchors() : {}),
    };
    try {
      const start = this.#secure ? httpsRequest : httpRequest;
      return await exchangeOnce(start, request, options, Math.max(1, until - Date.now()));
    } finally {
      tunnel?.destroy();
    }
  }

  #secured(socket: Socket): Socket {
    return connectTls({ socket, ...peerOf(this.#route.baseUrl), ...this.#anchors() });
  }

  #anchors(): { ca?: string } {
    const { trustedCa } = this.#route;
    return trustedCa === undefined ? {} : { ca: toPem(trustedCa) };
  }
}

function exchangeOnce(
  start: typeof httpRequest,
  { url, body, maxBytes, signal }: WireRequest,
  options: RequestOptions,
  timeoutMs: number,
): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = start(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > maxBytes) outgoing.destroy(new TooLarge());
      });
      response.on('error', fail);
      response.on('end', () => {
        if (!response.complete) return fail(new Error('cut off'));
        over();
        const { statusCode: status = 0, headers } = response;
        const { date, 'retry-after': retryAfter } = headers;
        resolve({ status, retryAfter, date, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    const stop = () => outgoing.destroy(new Stopped());
    const timer = setTimeout(() => outgoing.destroy(new TimedOut()), timeoutMs);
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    const fail = (error: Error) => {
      over();
      reject(outgoing.errored ?? error);
    };
    outgoing.on('error', fail);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    outgoing.end(body);
  });
}

/** Throws `proxy-refused`, `proxy-unreachable` (both unavailable). */
export function openTunnel(
  proxy: ProxyServer,
  server: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const { hostname, port } = new URL(server);
  const path = `${hostname}:${port === '' ? '443' : port}`;
  const { host, port: proxyPort, authorization } = proxy;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host,
      port: proxyPort,
      method: 'CONNECT',
      path,
      agent: false,
      headers: { host: path, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
    });
    const stop = () => outgoing.destroy(new Stopped());
    const timer = setTimeout(() => outgoing.destroy(new TimedOut()), timeoutMs);
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    outgoing.on('connect', ({ statusCode }, socket) => {
      over();
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      const detail = `The proxy ${host}:${proxyPort} does not let us through to ${path} (status ${statusCode}).`;
      reject(new DomainError('unavailable', 'proxy-refused', detail));
    });
    outgoing.on('response', (response) => {
      response.resume();
      outgoing.destroy(new Error('no tunnel'));
    });
    outgoing.on('error', (error) => {
      over();
      if (error instanceof Stopped || error instanceof TimedOut) return reject(error);
      const detail = `The proxy ${host}:${proxyPort} (HTTPS_PROXY) can't be used (${codeOf(error) ?? error.message}).`;
      reject(new DomainError('unavailable', 'proxy-unreachable', detail, { cause: error }));
    });
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    outgoing.end();
  });
}

/** Whose certificate is expected; an address is not sent as SNI (RFC 6066, section 3). */
export function peerOf(url: string): { host: string; servername?: string } {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? { host, servername: host } : { host };
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

const lengthOf = (body: string) => ({ 'content-length': String(Buffer.byteLength(body)) });
