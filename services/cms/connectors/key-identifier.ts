import { DerReader, type ParsedCertificate } from '@cardwright/protocol/attestation';

const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';

/** The issuer's key as the certificate names it (RFC 5280 section 4.2.1.1): lower-case hex, empty where it does not. */
export function keyIdentifierOf(certificate: ParsedCertificate): string {
  const value = certificate.extensions.get(AUTHORITY_KEY_IDENTIFIER)?.value;
  if (value === undefined) return '';
  const parts = new DerReader(value, 'ca-answer-malformed').inside('authorityKeyIdentifier');
  const identifier = parts.optional('keyIdentifier', 0x80)?.content ?? new Uint8Array();
  return Buffer.from(identifier).toString('hex');
}
