import { encryptChallenge } from './challenge-response.ts';
import type { Custody } from './custody.ts';
import { withCardKey } from './key-source.ts';
import type { AnswerChallenge, ChallengeAnswer } from './operations.ts';
import type { KeyStore } from './ports.ts';
import { keyNotConfirmed, keySuperseded, keyUnknown, wrongAlgorithm } from './refusals.ts';

/** See VaultClient.answerChallenge. The card's record selects the algorithm; the challenge's length would not do. */
export async function answerChallenge(
  custody: Custody,
  keys: KeyStore,
  params: AnswerChallenge,
): Promise<ChallengeAnswer> {
  const record = await keys.find(params.cardId, params.keyVersion);
  if (record === undefined) throw keyUnknown();
  const { algorithm } = record;
  if (algorithm === 'hmac-sha256') {
    throw wrongAlgorithm('A card in a TPM is not answered by encrypting: use tpm.first-write and tpm.reset.');
  }
  if (record.state === 'superseded') throw keySuperseded();
  // A card whose key is being changed has one of the two, and which one is found out by asking it.
  if (record.state !== 'confirmed' && record.lineage === null) throw keyNotConfirmed();
  const response = await withCardKey(custody, keys, record, (key) =>
    encryptChallenge(key, algorithm, params.challenge, params.mode),
  );
  return { response };
}
