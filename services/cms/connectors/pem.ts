import { badAnswer } from './refusals.ts';

/** More than the longest chain. */
const MAX_CERTIFICATES = 10;
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END ([A-Z0-9 ]{1,40})-----/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The certificates of PEM text (RFC 7468), in the order in which they stand there; text around the blocks is passed over, as
 * openssl writes it. Whether each is a certificate is for who reads it.
 * @throws DomainError `ca-answer-malformed`: none, more than ten, a block of something else, or no base64.
 */
export function certificatesInPem(text: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const [, begins, body = '', ends] of text.matchAll(BLOCK)) {
    if (begins !== ends || (begins !== 'CERTIFICATE' && begins !== 'X509 CERTIFICATE')) {
      throw badAnswer('ca-answer-malformed', 'Certificates are expected in PEM, and no other blocks.');
    }
    const base64 = body.replace(/\s+/g, '');
    if (!BASE64.test(base64) || base64 === '') {
      throw badAnswer('ca-answer-malformed', 'A PEM block is not base64.');
    }
    if (found.length === MAX_CERTIFICATES) {
      throw badAnswer('ca-answer-malformed', `More than ${MAX_CERTIFICATES} certificates in one answer.`);
    }
    found.push(new Uint8Array(Buffer.from(base64, 'base64')));
  }
  if (found.length === 0) throw badAnswer('ca-answer-malformed', 'No certificate in PEM.');
  return found;
}

export function pemOf(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
