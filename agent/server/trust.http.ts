import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { DomainError } from '@cardwright/protocol';
import { toPem } from '../enrolment/certificate-check.ts';
import type { ProxyServer } from './proxy.ts';
import { describeCa, type ServerCa } from './server-ca.ts';
import { codeOf, openTunnel, peerOf } from './wire.http.ts';

const TIMEOUT_MS = 15_000;
const LONGEST_CHAIN = 10;

/**
 * Meets the server, which must satisfy what this system trusts (or NODE_EXTRA_CA_CERTS), and gives the root of its chain;
 * then meets it once more with that root as the only anchor, so that what is pinned is known to work. From then on no other
 * CA is taken for this server, however much the system trusts it.
 *
 * Throws `server-unreachable` (unavailable), `server-certificate-untrusted` (forbidden); those of the proxy.
 */
export async function caOfServer(baseUrl: string, proxy: ProxyServer | undefined): Promise<ServerCa> {
  const met = await handshake(baseUrl, proxy, undefined, rootOf);
  await handshake(baseUrl, proxy, met, () => undefined);
  return describeCa(met);
}

/** What OpenSSL says when a chain does not end in a CA that is trusted: with a pinned one, that another has come. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);
export const isUntrusted = (error: unknown): boolean => UNTRUSTED.has(codeOf(error) ?? '');

async function handshake<T>(
  baseUrl: string,
  proxy: ProxyServer | undefined,
  trusted: Uint8Array | undefined,
  look: (socket: TLSSocket) => T,
): Promise<T> {
  const { port } = new URL(baseUrl);
  const tunnel = proxy && (await openTunnel(proxy, baseUrl, TIMEOUT_MS, undefined));
  const options: ConnectionOptions = {
    ...peerOf(baseUrl),
    ...(tunnel === undefined ? { port: port === '' ? 443 : Number(port) } : { socket: tunnel }),
    ...(trusted === undefined ? {} : { ca: toPem(trusted) }),
  };
  const meeting = new Promise<T>((resolve, reject) => {
    const socket = connect(options);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('timeout')));
    socket.once('secureConnect', () => {
      try {
        resolve(look(socket));
      } catch (error) {
        reject(error);
      } finally {
        socket.destroy();
      }
    });
    socket.once('error', (error) => {
      socket.destroy();
      reject(isUntrusted(error) ? untrusted(baseUrl, error) : unreachable(baseUrl, error));
    });
  });
  return meeting.finally(() => tunnel?.destroy());
}

/** The last of the chain that OpenSSL has just verified, a root: it signs itself. */
function rootOf(socket: TLSSocket): Uint8Array {
  let last: DetailedPeerCertificate = socket.getPeerCertificate(true);
  for (let depth = 0; depth < LONGEST_CHAIN; depth++) {
    const next = last.issuerCertificate;
    if (next === undefined || next === last || next.fingerprint256 === last.fingerprint256) break;
    last = next;
  }
  return new Uint8Array(last.raw);
}

function untrusted(baseUrl: string, cause: Error): DomainError {
  return new DomainError(
    'forbidden',
    'server-certificate-untrusted',
    `The certificate of ${baseUrl} is from a CA that this system does not trust (${codeOf(cause)}). If it is your ` +
      "organisation's own, name a file with that CA's certificate (PEM): NODE_EXTRA_CA_CERTS=FILE.",
    { cause },
  );
}

function unreachable(baseUrl: string, cause: Error): DomainError {
  const reason = codeOf(cause) ?? cause.message;
  const detail = `The server at ${baseUrl} can't be reached (${reason}). Check the address and the network.`;
  return new DomainError('unavailable', 'server-unreachable', detail, { cause });
}
