import { createHash } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import { DerReader, TAG } from '@cardwright/protocol/attestation';
import { ALGORITHM_OF_KEY, beginDetachedJws, HASH_OF_ALGORITHM } from '@cardwright/protocol/enrolment';
import type { Card } from '../card/port.ts';
import type { StoredKey } from '../store/document.ts';

/** Signs for a new card with a certificate that its holder has already. */
export interface ProofSigner {
  /** A detached JWS over the statement. */
  sign(statement: Uint8Array): Promise<string>;
}

/** With a key of another card, and its PIN. */
export function cardSigner(card: Card, key: StoredKey, pin: Secret): ProofSigner {
  const { keyType } = key;
  const certificate = Buffer.from(key.certificate, 'base64');
  const thumbprint = createHash('sha256').update(certificate).digest('hex');
  const hash = HASH_OF_ALGORITHM[ALGORITHM_OF_KEY[keyType]];
  return {
    async sign(statement) {
      const { input, finish } = beginDetachedJws(ALGORITHM_OF_KEY[keyType], thumbprint, statement);
      const digest = new Uint8Array(createHash(hash).update(input).digest());
      const signature = await card.sign({ key: Buffer.from(key.blob, 'base64'), hash, digest, pin });
      return finish(keyType.startsWith('ec-') ? asRaw(signature, keyType === 'ec-p384' ? 48 : 32) : signature);
    },
  };
}

/** r and s of equal length (RFC 7518, section 3.4), from a SEQUENCE of two INTEGERs. */
export function asRaw(der: Uint8Array, size: number): Uint8Array {
  const reader = new DerReader(der, 'signature-malformed').inside('the signature');
  const numbers = [reader.next('r', TAG.integer).content, reader.next('s', TAG.integer).content];
  return Uint8Array.from(
    numbers.flatMap((number) => {
      const digits = [...number].slice(Math.max(0, number.length - size));
      return [...Array(size - digits.length).fill(0), ...digits];
    }),
  );
}

export function signerMissing(): DomainError {
  return new DomainError(
    'invalid',
    'signer-missing',
    'This card is enrolled by a certificate that its holder has already: name the card that signs, with --signed-by.',
  );
}
