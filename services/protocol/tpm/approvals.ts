import { DomainError } from '../errors.ts';
import { CARD_REFS, cardKeyPolicy } from './card.ts';
import { TPM_ALG, TPM_CC } from './constants.ts';
import { DIGEST_BYTES, sha256 } from './hashing.ts';
import { policyCommandCode } from './policies.ts';
import { type Bytes, concat, sized, u16, u32 } from './wire.ts';

/**
 * What the administrator key signs (MACs). The vault makes each of these digests itself, from Names and numbers it
 * knows; it never signs bytes that it was handed.
 */
export interface PolicySignedTerms {
  /** 16 bytes: the challenge. */
  readonly nonceTpm: Bytes;
  readonly expirationSeconds: number;
  /** Binds the answer to one command with all its parameters; empty = only what the policy says. */
  readonly cpHash: Bytes;
  readonly policyRef: Bytes;
}

/** aHash of TPM2_PolicySigned (Part 3, section 23.3): H(nonceTPM || expiration || cpHashA || policyRef). */
export function policySignedDigest(terms: PolicySignedTerms): Bytes {
  const { nonceTpm, cpHash, expirationSeconds } = terms;
  if (nonceTpm.length < 16 || nonceTpm.length > DIGEST_BYTES) {
    throw new DomainError('unprocessable', 'nonce-invalid', 'A challenge nonce has 16 to 32 bytes.');
  }
  if (cpHash.length !== 0 && cpHash.length !== DIGEST_BYTES) {
    throw new DomainError('internal', 'cp-hash-invalid', 'A cpHash is empty or has 32 bytes.');
  }
  if (!Number.isInteger(expirationSeconds) || expirationSeconds <= 0 || expirationSeconds > 86_400) {
    throw new DomainError('internal', 'expiration-invalid', 'An answer holds for 1 to 86400 seconds.');
  }
  return sha256(nonceTpm, u32(expirationSeconds), cpHash, terms.policyRef);
}

/** cpHash of TPM2_NV_Write of all `data` at offset 0, authorised by the index itself (so its Name stands twice). */
export function nvWriteCpHash(of: { readonly name: Bytes; readonly data: Bytes }): Bytes {
  return sha256(u32(TPM_CC.NV_Write), of.name, of.name, sized(of.data), u16(0));
}

/**
 * Lets a person change the PIN knowing the old one: the proof that the card's keys want and NV_ChangeAuth
 * only. `digest` is what TPM2_PolicyAuthorize's ticket is over: H(approvedPolicy || policyRef).
 */
export function selfChangeApproval(writtenName: Bytes): { readonly approvedPolicy: Bytes; readonly digest: Bytes } {
  const approvedPolicy = policyCommandCode(cardKeyPolicy(writtenName), TPM_CC.NV_ChangeAuth);
  return { approvedPolicy, digest: sha256(approvedPolicy, CARD_REFS.self) };
}

/** TPMT_SIGNATURE of an answer: HMAC with SHA-256. */
export function answerSignature(mac: Bytes): Bytes {
  if (mac.length !== DIGEST_BYTES) {
    throw new DomainError('unprocessable', 'answer-length', `An answer has ${DIGEST_BYTES} bytes, not ${mac.length}.`);
  }
  return concat(u16(TPM_ALG.HMAC), u16(TPM_ALG.SHA256), mac);
}
