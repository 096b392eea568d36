import { createHash } from 'node:crypto';
import { type DetachedJws, HASH_OF_ALGORITHM, parseDetachedJws, parseSignedData } from '@cardwright/protocol/enrolment';
import type { SignatureForm } from './ports.ts';

/** How a proof comes: one of the two. */
export type SubmittedProof = { readonly jws: string } | { readonly cms: Uint8Array };

/** One signature, in whichever clothes it came. Nothing of it is trusted; what it names is looked up. */
export interface ProofSignature {
  readonly signer:
    | { readonly thumbprint: string }
    /** Of which the signer's is one: the one of that serial number, if it is named by it. */
    | { readonly certificates: readonly Uint8Array[]; readonly serialNumber: string | null };
  readonly signature: Uint8Array;
  readonly form: SignatureForm;
  /** What the signature covers if it is over `statement`; null if it says itself that it is over something else. */
  covers(statement: Uint8Array): Uint8Array | null;
}

const JWS_FORMS: Readonly<Record<DetachedJws['algorithm'], Omit<SignatureForm, 'hash'>>> = {
  ES256: { scheme: 'ecdsa-raw', curve: 'prime256v1' },
  ES384: { scheme: 'ecdsa-raw', curve: 'secp384r1' },
  RS256: { scheme: 'rsa-pkcs1' },
  PS256: { scheme: 'rsa-pss' },
};

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);

/** @throws DomainError `proof-malformed` (unprocessable). */
export function readProof(submitted: SubmittedProof): ProofSignature {
  return 'jws' in submitted ? ofJws(submitted.jws) : ofCms(submitted.cms);
}

function ofJws(text: string): ProofSignature {
  const { algorithm, signer, payload, signature, signingInput } = parseDetachedJws(text);
  return {
    signer: 'thumbprint' in signer ? signer : { certificates: [signer.certificate], serialNumber: null },
    signature,
    form: { ...JWS_FORMS[algorithm], hash: HASH_OF_ALGORITHM[algorithm] },
    covers: (statement) => (payload === null || same(payload, statement) ? signingInput(statement) : null),
  };
}

function ofCms(der: Uint8Array): ProofSignature {
  const { content, digest, scheme, signer, certificates, signedAttributes, messageDigest, signature } =
    parseSignedData(der);
  return {
    signer: { certificates, serialNumber: 'serialNumber' in signer ? signer.serialNumber : null },
    signature,
    form: { hash: digest, scheme },
    covers: (statement) => {
      if (content !== null && !same(content, statement)) return null;
      if (signedAttributes === null || messageDigest === null) return statement;
      return same(createHash(digest).update(statement).digest(), messageDigest) ? signedAttributes : null;
    },
  };
}
