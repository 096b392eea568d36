import { DomainError } from '@cardwright/protocol';
import { isLoopback } from './address.ts';

/** A proxy that tunnels TLS (CONNECT, RFC 9110 9.3.6): it sees where we go, and nothing of what is said. */
export interface ProxyServer {
  readonly host: string;
  readonly port: number;
  /** `Proxy-Authorization`, if the URL names a user. Secret. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a server, as HTTPS_PROXY and NO_PROXY say (small letters too, which win, as with curl). Clear http goes to
 * this very machine or to a trial network only, and is never proxied. NO_PROXY: `*`, or names and addresses with commas
 * between; `example.org` and `.example.org` also mean all names below. Throws `proxy-invalid` (invalid).
 */
export function proxyFor(server: string, environment: Environment): ProxyServer | undefined {
  const { protocol, hostname, port } = new URL(server);
  if (protocol !== 'https:' || isLoopback(hostname)) return undefined;
  const setting = environment.https_proxy ?? environment.HTTPS_PROXY;
  if (setting === undefined || setting === '') return undefined;
  const excepted = (environment.no_proxy ?? environment.NO_PROXY ?? '').split(',').map((one) => one.trim());
  if (excepted.some((one) => isExcepted(hostname, port || '443', one))) return undefined;
  return proxyOf(setting);
}

function proxyOf(setting: string): ProxyServer {
  const url = URL.canParse(setting) ? new URL(setting) : undefined;
  if (url?.protocol !== 'http:' || url.hostname === '') {
    // The setting is not repeated: it may hold a password.
    throw new DomainError(
      'invalid',
      'proxy-invalid',
      'HTTPS_PROXY must name a proxy by http://host:port (TLS to the server goes through it untouched).',
    );
  }
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 80 : Number(url.port),
    authorization: url.username === '' ? undefined : `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`,
  };
}

function isExcepted(hostname: string, port: string, exception: string): boolean {
  if (exception === '*') return true;
  const [, name = '', onlyPort] = /^\.?(.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? [];
  if (name === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
  return hostname === name || hostname.endsWith(`.${name}`);
}
