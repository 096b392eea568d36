import { verify } from 'node:crypto';
import type { ParsedCertificate } from './certificate.ts';
import { allowsUse, KEY_USAGE } from './certificate-rules.ts';
import { DerReader, dotted, TAG } from './der.ts';
import { same } from './refusal.ts';

type Bytes = Uint8Array;

const MALFORMED = 'revocation-list-malformed';
/** A TPM maker's list is small; this is room for some hundred thousand entries. */
export const MAX_REVOCATION_LIST_BYTES = 16 * 1024 * 1024;

/** A CRL (RFC 5280, section 5.1). Whether its issuer signed it is asked when it is used. */
export interface RevocationList {
  readonly issuer: Bytes;
  /** Lower-case hex, without leading zeros. */
  readonly serialNumbers: ReadonlySet<string>;
  readonly signed: Bytes;
  readonly signature: Bytes;
  readonly signatureHash: string;
}

const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};

/** DER. Throws `revocation-list-malformed`. */
export function parseRevocationList(der: Bytes): RevocationList {
  const outer = new DerReader(der, MALFORMED);
  if (der.length > MAX_REVOCATION_LIST_BYTES) outer.fail(`over ${MAX_REVOCATION_LIST_BYTES} bytes`);
  const whole = outer.inside('the list');
  outer.end('the list');
  const signed = whole.next('what is signed', TAG.sequence);
  const algorithm = dotted(whole.inside('the signature algorithm').next('its name').content);
  const signature = whole.next('the signature', TAG.bitString).content.subarray(1);
  const signatureHash =
    HASHES[algorithm] ?? whole.fail('signed by an algorithm that is not taken (RSA or ECDSA, SHA-2)');
  const tbs = new DerReader(signed.content, MALFORMED);
  tbs.optional('version', TAG.integer);
  tbs.next('the signature algorithm', TAG.sequence);
  const issuer = tbs.next('the issuer', TAG.sequence).raw;
  tbs.next('thisUpdate');
  if (tbs.optional('nextUpdate', TAG.utcTime) === undefined) tbs.optional('nextUpdate', TAG.generalizedTime);
  const serialNumbers = new Set<string>();
  const entries = tbs.optional('the entries', TAG.sequence);
  const list = new DerReader(entries?.content ?? new Uint8Array(), MALFORMED);
  while (list.more) {
    const serialNumber = list.inside('an entry').next('its serial number', TAG.integer).content;
    serialNumbers.add(
      Buffer.from(serialNumber)
        .toString('hex')
        .replace(/^(00)+(?=..)/, ''),
    );
  }
  return { issuer, serialNumbers, signed: signed.raw, signature, signatureHash };
}

/** True if one of `lists`, signed by `issuer`, has the certificate. An old list counts too: nobody is un-revoked. */
export function isRevoked(
  certificate: ParsedCertificate,
  issuer: ParsedCertificate,
  lists: readonly RevocationList[],
): boolean {
  return lists.some(
    (list) =>
      list.serialNumbers.has(certificate.serialNumber) &&
      same(list.issuer, certificate.issuer) &&
      allowsUse(issuer, KEY_USAGE.cRLSign) &&
      isSigned(list, issuer),
  );
}

function isSigned(list: RevocationList, issuer: ParsedCertificate): boolean {
  try {
    return verify(list.signatureHash, list.signed, issuer.x509.publicKey, list.signature);
  } catch {
    return false; // a key of another kind than the signature
  }
}
