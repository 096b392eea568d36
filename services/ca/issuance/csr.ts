import { verify } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { type DerBounds, DerError, type DerValue, dottedOid, readDer } from '../asn1/reader.ts';
import { wishesOf } from './csr-wishes.ts';
import { allowedKey } from './key-policy.ts';

/** A request with a 4096-bit key takes under 2 KiB. */
export const CSR_BOUNDS: DerBounds = { maxBytes: 16_384, maxDepth: 16, maxValues: 500 };

/** The hash of each signature algorithm that is taken; the key's type must fit (RFC 5758, RFC 8017). */
const SIGNATURES: Readonly<Record<string, { readonly keyType: 'ec' | 'rsa'; readonly hash: string }>> = {
  [OID.ecdsaWithSha256]: { keyType: 'ec', hash: 'sha256' },
  [OID.ecdsaWithSha384]: { keyType: 'ec', hash: 'sha384' },
  [OID.ecdsaWithSha512]: { keyType: 'ec', hash: 'sha512' },
  [OID.sha256WithRsa]: { keyType: 'rsa', hash: 'sha256' },
  [OID.sha384WithRsa]: { keyType: 'rsa', hash: 'sha384' },
  [OID.sha512WithRsa]: { keyType: 'rsa', hash: 'sha512' },
};

export interface ProvenRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** What else the request asks for, in words: names and extensions come from the directory record, not from it. */
  readonly ignored: readonly string[];
}

/**
 * Takes the key out of a PKCS #10 request (RFC 2986), when its holder proves to have the private half.
 * @param der the request, as it came: any bytes
 * @throws DomainError `csr-malformed`, `csr-key-not-allowed`, `csr-signature-invalid` (unprocessable)
 */
export async function provenKey(der: Buffer): Promise<ProvenRequest> {
  const { signedPart, publicKey, algorithm, signature, ignored } = parse(der);
  const key = await allowedKey(publicKey);
  const known = SIGNATURES[algorithm];
  if (known === undefined) {
    refuse('csr-signature-invalid', 'the request must be signed with ECDSA or RSA PKCS #1 v1.5 and SHA-256 or longer');
  }
  const proven =
    key.asymmetricKeyType === known.keyType && signature !== null && verify(known.hash, signedPart, key, signature);
  if (!proven) refuse('csr-signature-invalid', 'the request is not signed by the key that it asks a certificate for');
  return { publicKey, ignored };
}

interface Parsed {
  readonly signedPart: Buffer;
  readonly publicKey: Buffer;
  readonly algorithm: string;
  /** null: not of whole bytes, which no signature is. */
  readonly signature: Buffer | null;
  readonly ignored: readonly string[];
}

function parse(der: Buffer): Parsed {
  try {
    return partsOf(readDer(der, CSR_BOUNDS));
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new DomainError('unprocessable', 'csr-malformed', `not a PKCS #10 request in DER: ${cause.message}`, {
      cause,
    });
  }
}

/** CertificationRequest ::= SEQUENCE { CertificationRequestInfo, AlgorithmIdentifier, BIT STRING } (RFC 2986 4.2). */
function partsOf(request: DerValue): Parsed {
  const [info, algorithm, signature] = fixed(request, [TAG.sequence, TAG.sequence, TAG.bitString], 'a request');
  const tags = [TAG.integer, TAG.sequence, TAG.sequence];
  // The attributes are a must in RFC 2986, and left out by more than one program when there are none.
  const [version, subject, publicKey, attributes] = fixed(
    info,
    info.children.length === 3 ? tags : [...tags, 0xa0],
    'the information of a request',
  );
  if (!version.raw.equals(Buffer.from('020100', 'hex'))) throw new DerError('a version other than 0', 0);
  const [oid, parameters, ...rest] = algorithm.children;
  if (oid === undefined || rest.length > 0 || (parameters !== undefined && parameters.tag !== TAG.null)) {
    throw new DerError('an algorithm with parameters', 0);
  }
  return {
    signedPart: info.raw,
    publicKey: publicKey.raw,
    algorithm: dottedOid(oid),
    signature: signature.content[0] === 0 ? signature.content.subarray(1) : null,
    ignored: wishesOf(subject, attributes?.children ?? []),
  };
}

type Parts = readonly [DerValue, DerValue, DerValue, DerValue?];

function fixed({ tag, children }: DerValue, tags: readonly number[], what: string): Parts {
  const same = children.length === tags.length && children.every((child, at) => child.tag === tags[at]);
  if (tag !== TAG.sequence || !same) throw new DerError(`${what} whose parts are not those of RFC 2986`, 0);
  return children as unknown as Parts;
}

function refuse(code: 'csr-signature-invalid', detail: string): never {
  throw new DomainError('unprocessable', code, detail);
}
