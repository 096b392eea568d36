import type { AuthorityName } from '../authorities/authority.ts';

export type CrlKind = 'full' | 'delta';

/** The last part of a CRL's URL: `issuing.crl`, `issuing-delta.crl`; of several, `issuing-3.crl`, `issuing-3-delta.crl`. */
export function crlName(issuer: AuthorityName, shard: number, shards: number, kind: CrlKind): string {
  return `${issuer}${shards === 1 ? '' : `-${shard}`}${kind === 'delta' ? '-delta' : ''}.crl`;
}
