import { DomainError } from '@cardwright/protocol';
import {
  ANSWER_EXPIRATION_SECONDS,
  answerSignature,
  type Bytes,
  CARD_REFS,
  nvWriteCpHash,
  pinCounter,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import { PolicySession, withLoaded, writeNv } from '../../tpm/index.ts';
import type { CardRecord, FirstWriteChallenge } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { PendingChallenge } from './pending.ts';
import { alreadyWritten, type CardPlace } from './place.ts';
import { answerRefusal } from './refusals.ts';
import { decodeStored } from './stored.ts';

/** Branch B3 on an index that was never written: what makes it a card. The vault answers it once in the key's life. */
export async function startFirstWrite(
  hardware: Hardware,
  place: CardPlace,
  record: CardRecord,
): Promise<FirstWriteChallenge> {
  const state = await place.state();
  if (state === 'written') throw alreadyWritten();
  if (state !== 'defined') {
    throw new DomainError('conflict', 'card-not-prepared', 'Nothing of this card stands there yet: prepare it first.');
  }
  const { tpm, roots } = hardware;
  const data = pinCounter(0, record.pinLimit);
  const session = await PolicySession.start(tpm);

  async function finish(answer: Bytes, taken: () => void): Promise<void> {
    const signature = answerSignature(answer);
    const root = await roots.named(record.parentName);
    const terms = {
      cpHash: nvWriteCpHash({ name: place.index.definedName, data }),
      policyRef: CARD_REFS.write,
      expirationSeconds: ANSWER_EXPIRATION_SECONDS,
    };
    try {
      await withLoaded(tpm, root, decodeStored(record.administratorKey), (key) =>
        session.signed(key, terms, signature),
      );
      taken();
      await session.commandCode(TPM_CC.NV_Write);
      await place.openBranch(session);
      await writeNv(tpm, place.defined, session.spending(), data);
    } catch (error) {
      throw await answerRefusal(error, place, 'defined');
    }
  }

  const pending = new PendingChallenge(hardware, [session]);
  return {
    nonce: session.nonceTpm,
    finish: (answer) => pending.finish((taken) => finish(answer, taken)),
    abandon: () => pending.abandon(),
  };
}
