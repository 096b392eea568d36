import { DomainError } from '@cardwright/protocol';
import {
  ANSWER_EXPIRATION_SECONDS,
  CARD_REFS,
  hmacSha256,
  nvWriteCpHash,
  type PolicyApproval,
  pinCounter,
  pinIndex,
  policySignedDigest,
  rehearsalApproval,
  selfChangeApproval,
  successionApproval,
} from '@cardwright/protocol/tpm';
import type { KeyRecord } from './key-record.ts';
import type { FirstWriteAnswer, SignedApproval, TpmResetAnswer } from './operations.ts';
import { wrongAlgorithm } from './refusals.ts';

/**
 * What a card's administrator key signs. Every digest is made here, from the key's own Name and the vault's own PIN
 * limit: a caller brings nonces and an index handle, and can't have bytes of its own choice signed.
 */
export interface TpmKeyFacts {
  /** Of the key that the card's index was founded with: its own, or of the first before it. */
  readonly name: Uint8Array;
  readonly pinLimit: number;
}

/** @throws DomainError `administrator-key-algorithm` (unprocessable). */
export function tpmFacts(record: KeyRecord): TpmKeyFacts {
  if (record.algorithm !== 'hmac-sha256') {
    throw wrongAlgorithm(`A TPM card has a key for hmac-sha256; this key is for ${record.algorithm}: use answer.`);
  }
  if (record.tpmName === null || record.pinLimit === null) {
    throw new DomainError('internal', 'vault-blob-invalid', 'A TPM card without Name or PIN limit.');
  }
  const name = record.lineage?.succession?.foundingName ?? record.tpmName;
  return { name: new Uint8Array(name), pinLimit: record.pinLimit };
}

/** Where the card lives: the index whose first write was signed, by this key or by the first before it. */
export function foundingIndex({ lineage, firstWrite }: KeyRecord): number | undefined {
  return lineage === null ? firstWrite?.nvIndex : lineage.succession?.nvIndex;
}

/** Lets `successor` do what `key` may do. */
export function succession(key: Uint8Array, successorName: Uint8Array): SignedApproval {
  return signed(key, successionApproval(successorName));
}

/** Lets the card be tried with this key: reading only. */
export function rehearsal(key: Uint8Array): SignedApproval {
  return signed(key, rehearsalApproval());
}

function signed(key: Uint8Array, { approvedPolicy, digest }: PolicyApproval): SignedApproval {
  return { approvedPolicy, signature: hmacSha256(key, digest) };
}

/** The write that turns a defined index into a card. It is bound to the unwritten Name: afterwards it is void. */
export function firstWriteAnswer(
  key: Uint8Array,
  facts: TpmKeyFacts,
  on: { readonly nvIndex: number; readonly nonce: Uint8Array },
): FirstWriteAnswer {
  const index = pinIndex({ nvIndex: on.nvIndex, administratorKeyName: facts.name });
  return {
    answer: writeAnswer(key, on.nonce, index.definedName, facts.pinLimit),
    selfChange: signed(key, selfChangeApproval(index.writtenName)),
    expirationSeconds: ANSWER_EXPIRATION_SECONDS,
  };
}

/**
 * A reset is two commands: NV_ChangeAuth sets the new PIN, NV_Write makes the tries 0 again. The first has no cpHash,
 * because the new PIN travels encrypted to the TPM in a salted session, and cpHash would cover the encrypted bytes.
 */
export function resetAnswers(
  key: Uint8Array,
  facts: TpmKeyFacts,
  on: { readonly nvIndex: number; readonly resetNonce: Uint8Array; readonly writeNonce: Uint8Array },
): TpmResetAnswer {
  const index = pinIndex({ nvIndex: on.nvIndex, administratorKeyName: facts.name });
  const reset = policySignedDigest({
    nonceTpm: on.resetNonce,
    expirationSeconds: ANSWER_EXPIRATION_SECONDS,
    cpHash: new Uint8Array(0),
    policyRef: CARD_REFS.reset,
  });
  return {
    resetAnswer: hmacSha256(key, reset),
    writeAnswer: writeAnswer(key, on.writeNonce, index.writtenName, facts.pinLimit),
    expirationSeconds: ANSWER_EXPIRATION_SECONDS,
  };
}

function writeAnswer(key: Uint8Array, nonce: Uint8Array, indexName: Uint8Array, pinLimit: number): Uint8Array {
  const digest = policySignedDigest({
    nonceTpm: nonce,
    expirationSeconds: ANSWER_EXPIRATION_SECONDS,
    cpHash: nvWriteCpHash({ name: indexName, data: pinCounter(0, pinLimit) }),
    policyRef: CARD_REFS.write,
  });
  return hmacSha256(key, digest);
}
