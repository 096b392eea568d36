import { DomainError } from '@cardwright/protocol';
import type { PublishedAt } from '../../x509/extensions.ts';

const FORMAT = 'cardwright-root-request-1';

/** What the place of the root's key must know to sign for the online CA. Nothing in it is secret, and nothing in it is
 * believed but for what the people there look at: who signs, signs what the command shows. */
export interface RootRequest {
  /** DER. */
  readonly root: Buffer;
  readonly issuing: Buffer;
  /** The root's CRL as it stands, DER: its number, and what it lists, go on. */
  readonly crl: Buffer;
  /** Where what the root publishes is found. */
  readonly publishedAt: PublishedAt;
}

export function writeRootRequest({ root, issuing, crl, publishedAt }: RootRequest): string {
  const bytes = (der: Buffer) => der.toString('base64url');
  const { caIssuers, crl: crlUrl } = publishedAt;
  const request = { format: FORMAT, root: bytes(root), issuing: bytes(issuing), crl: bytes(crl), caIssuers, crlUrl };
  return `${JSON.stringify(request, null, 2)}\n`;
}

/** @throws DomainError `root-request-unreadable` (invalid) */
export function readRootRequest(text: string): RootRequest {
  try {
    const { format, root, issuing, crl, caIssuers, crlUrl } = JSON.parse(text) as Record<string, unknown>;
    if (format !== FORMAT) throw new Error('format');
    return {
      root: bytesOf(root),
      issuing: bytesOf(issuing),
      crl: bytesOf(crl),
      publishedAt: { caIssuers: urlOf(caIssuers), crl: urlOf(crlUrl), ocsp: null },
    };
  } catch (cause) {
    throw new DomainError('invalid', 'root-request-unreadable', `not a request of the form ${FORMAT}`, { cause });
  }
}

function bytesOf(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{1,100000}$/.test(value)) throw new Error('bytes');
  return Buffer.from(value, 'base64url');
}

function urlOf(value: unknown): string {
  if (typeof value !== 'string' || !/^https?:\/\/[\x21-\x7e]{1,300}$/.test(value)) throw new Error('url');
  return value;
}
