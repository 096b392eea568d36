import { DerReader, dotted, TAG, type Value } from '../attestation/der.ts';
import { DomainError, isDomainError } from '../errors.ts';

/** One signature in CMS SignedData (RFC 5652, section 5), as far as it is judged by. */
export interface SignedData {
  /** Null: detached. */
  readonly content: Uint8Array | null;
  readonly digest: CmsDigest;
  readonly scheme: 'ecdsa' | 'rsa-pkcs1';
  /** How the signer's certificate is named. */
  readonly signer:
    | { readonly issuer: Uint8Array; readonly serialNumber: string }
    | { readonly subjectKeyIdentifier: Uint8Array };
  /** DER; what came along, if anything did. To be looked up, never trusted. */
  readonly certificates: readonly Uint8Array[];
  /** What the signature covers, as a SET OF (section 5.4); null: it covers the content itself. */
  readonly signedAttributes: Uint8Array | null;
  /** Of the signed attributes; null where there are none. */
  readonly messageDigest: Uint8Array | null;
  readonly signature: Uint8Array;
}
export type CmsDigest = 'sha256' | 'sha384' | 'sha512';

const MAX_BYTES = 32 * 1024;
const MAX_CERTIFICATES = 8;
const MAX_ATTRIBUTES = 16;
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const DATA = '1.2.840.113549.1.7.1';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';

const DIGESTS: Readonly<Record<string, CmsDigest>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** rsaEncryption says no digest of its own (RFC 3370, section 3.2); the others must say the same as the digest algorithm. */
const SCHEMES: Readonly<Record<string, { readonly scheme: SignedData['scheme']; readonly digest: CmsDigest | null }>> =
  {
    '1.2.840.113549.1.1.1': { scheme: 'rsa-pkcs1', digest: null },
    '1.2.840.113549.1.1.11': { scheme: 'rsa-pkcs1', digest: 'sha256' },
    '1.2.840.113549.1.1.12': { scheme: 'rsa-pkcs1', digest: 'sha384' },
    '1.2.840.113549.1.1.13': { scheme: 'rsa-pkcs1', digest: 'sha512' },
    '1.2.840.10045.4.3.2': { scheme: 'ecdsa', digest: 'sha256' },
    '1.2.840.10045.4.3.3': { scheme: 'ecdsa', digest: 'sha384' },
    '1.2.840.10045.4.3.4': { scheme: 'ecdsa', digest: 'sha512' },
  };

const CODE = 'proof-malformed';

/**
 * Reads ContentInfo in DER with SignedData of one signer, such as `openssl cms -sign -outform DER` writes. Each level is read
 * by hand, so depth and time are bounded. Throws DomainError `proof-malformed` (unprocessable).
 */
export function parseSignedData(der: Uint8Array): SignedData {
  if (der.length > MAX_BYTES) throw malformed(`it has more than ${MAX_BYTES} bytes`);
  try {
    return read(der);
  } catch (error) {
    if (isDomainError(error)) throw malformed(error.detail);
    throw error;
  }
}

function read(der: Uint8Array): SignedData {
  const outer = new DerReader(der, CODE);
  const info = outer.inside('the message');
  outer.end('the message');
  if (oid(info, 'its content type') !== SIGNED_DATA) info.fail('it is not SignedData');
  const signed = info.inside('the content', 0xa0).inside('SignedData');
  signed.next('the version', TAG.integer);
  signed.next('the digest algorithms', TAG.set);
  const content = contentOf(signed.inside('the signed content'));
  const certificates = certificatesOf(signed.optional('the certificates', 0xa0));
  signed.optional('the revocation lists', 0xa1);
  const signers = signed.inside('the signers', TAG.set);
  signed.end('SignedData');
  const signer = signers.inside('the signer');
  if (signers.more) signers.fail('there is more than one signer');
  return { content, certificates, ...signerOf(signer) };
}

function contentOf(encapsulated: DerReader): Uint8Array | null {
  // Of another type the attribute content-type would have to be compared (section 5.3): nobody needs one.
  if (oid(encapsulated, 'the type of the content') !== DATA) encapsulated.fail('the content is not of the type data');
  const given = encapsulated.optional('the content', 0xa0);
  if (given === undefined) return null;
  const inner = new DerReader(given.content, CODE);
  const { content } = inner.next('the content', TAG.octetString);
  inner.end('the content');
  return content;
}

function certificatesOf(given: Value | undefined): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  if (given === undefined) return certificates;
  const list = new DerReader(given.content, CODE);
  while (list.more) {
    if (certificates.length === MAX_CERTIFICATES) list.fail(`more than ${MAX_CERTIFICATES} certificates`);
    const { tag, raw } = list.next('a certificate');
    if (tag === TAG.sequence) certificates.push(raw);
  }
  return certificates;
}

function signerOf(info: DerReader): Omit<SignedData, 'content' | 'certificates'> {
  info.next('the version', TAG.integer);
  const byKey = info.optional('the key identifier', 0x80);
  const signer =
    byKey === undefined ? byName(info.inside("the signer's name")) : { subjectKeyIdentifier: byKey.content };
  const digest = DIGESTS[oid(info.inside('the digest algorithm'), 'its name')];
  if (digest === undefined) info.fail('the digest is not SHA-256, SHA-384 or SHA-512');
  const attributes = info.optional('the signed attributes', 0xa0);
  const named = SCHEMES[oid(info.inside('the signature algorithm'), 'its name')];
  if (named === undefined || (named.digest !== null && named.digest !== digest)) {
    info.fail('the signature is not ECDSA or RSA PKCS #1 v1.5 with the digest that is named');
  }
  const { content: signature } = info.next('the signature', TAG.octetString);
  info.optional('the unsigned attributes', 0xa1);
  info.end('the signer');
  const messageDigest = attributes === undefined ? null : digestOf(attributes);
  const signedAttributes = attributes === undefined ? null : asSet(attributes);
  return { digest, scheme: named.scheme, signer, signedAttributes, messageDigest, signature };
}

function byName(name: DerReader): SignedData['signer'] {
  const issuer = name.next('the issuer', TAG.sequence).raw;
  const number = Buffer.from(name.next('the serial number', TAG.integer).content).toString('hex');
  name.end("the signer's name");
  return { issuer, serialNumber: number.replace(/^(00)+(?=..)/, '') };
}

/** Each attribute once, content-type and message-digest among them (RFC 5652, sections 5.3, 11.1 and 11.2). */
function digestOf({ content }: Value): Uint8Array {
  const list: DerReader = new DerReader(content, CODE);
  const found = new Map<string, Value>();
  while (list.more) {
    const attribute = list.inside('an attribute');
    const type = oid(attribute, 'its type');
    const values = attribute.inside('its values', TAG.set);
    if (found.has(type) || found.size === MAX_ATTRIBUTES)
      list.fail('an attribute is there twice, or there are too many');
    found.set(type, values.next('its value'));
    if (values.more && (type === CONTENT_TYPE || type === MESSAGE_DIGEST)) list.fail('an attribute has two values');
  }
  const type = found.get(CONTENT_TYPE);
  if (type?.tag !== TAG.objectIdentifier || dotted(type.content) !== DATA) list.fail('content-type is not data');
  const digest = found.get(MESSAGE_DIGEST);
  if (digest?.tag !== TAG.octetString) list.fail('there is no message-digest');
  return digest.content;
}

/** Signed with the tag of SET OF in place of the [0] that it is sent with (section 5.4). */
function asSet({ raw }: Value): Uint8Array {
  const set = Uint8Array.from(raw);
  set[0] = TAG.set;
  return set;
}

const oid = (reader: DerReader, what: string): string => dotted(reader.next(what, TAG.objectIdentifier).content);

function malformed(why: string): DomainError {
  const detail = `The proof is not such CMS SignedData (RFC 5652, in DER) as is expected. ${why}`;
  return new DomainError('unprocessable', CODE, detail, { fields: [{ pointer: '/proof/cms', detail }] });
}
