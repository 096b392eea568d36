import { dotted } from '@cardwright/protocol/attestation';
import { BerError, type Element, elements } from './ber.ts';
import { badAnswer } from './refusals.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;
const CERTIFICATES = 0xa0;
const MAX_CERTIFICATES = 10;

/**
 * The certificates of a certs-only message: a SignedData that nobody signed (RFC 5652 section 5.1, RFC 7030 section 4.1.3).
 * Their order says nothing. Other choices of CertificateSet (attribute certificates) are passed over.
 * @throws DomainError `ca-answer-malformed`.
 */
export function certificatesInPkcs7(bytes: Uint8Array): Uint8Array[] {
  try {
    return read(bytes);
  } catch (error) {
    if (!(error instanceof BerError)) throw error;
    throw badAnswer('ca-answer-malformed', `The answer is no certs-only message of PKCS #7: ${error.message}.`, error);
  }
}

function read(bytes: Uint8Array): Uint8Array[] {
  const [info, ...more] = elements(bytes, 2);
  if (info === undefined || more.length > 0) throw new BerError('it is not one value');
  const [type, body] = inside(info, SEQUENCE);
  if (type?.tag !== OBJECT_IDENTIFIER || dotted(type.content) !== SIGNED_DATA) throw new BerError('no SignedData');
  const [signedData] = inside(body, 0xa0);
  const set = inside(signedData, SEQUENCE).find(({ tag }) => tag === CERTIFICATES);
  const certificates = set === undefined ? [] : elements(set.content, MAX_CERTIFICATES);
  const found = certificates.filter(({ tag }) => tag === SEQUENCE).map(({ raw }) => Uint8Array.from(raw));
  if (found.length === 0) throw new BerError('no certificate in it');
  return found;
}

function inside(element: Element | undefined, tag: number): Element[] {
  if (element?.tag !== tag)
    throw new BerError(`the tag ${element?.tag ?? 'of nothing'} stands where ${tag} is expected`);
  return elements(element.content, 8);
}
