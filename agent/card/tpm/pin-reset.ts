import type { Secret } from '@cardwright/protocol';
import {
  ANSWER_EXPIRATION_SECONDS,
  answerSignature,
  type Bytes,
  CARD_REFS,
  nvWriteCpHash,
  pinCounter,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import { changeNvAuth, PolicySession, withLoaded, writeNv } from '../../tpm/index.ts';
import type { CardRecord, PinResetAnswers, PinResetChallenge } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { PendingChallenge } from './pending.ts';
import { withPinValue } from './pin-value.ts';
import type { CardPlace } from './place.ts';
import { answerRefusal } from './refusals.ts';
import { decodeStored } from './stored.ts';

const ANY_PARAMETERS = new Uint8Array();

/**
 * Branches B2 and B3 in one round trip: two policy sessions, both nonces out, both answers in. B2's answer is not bound to
 * a cpHash, for that would be over the enciphered PIN, and exclude enciphering it; B3's is, so that only `0 || pinLimit`
 * can be written with it.
 */
export async function startPinReset(
  hardware: Hardware,
  place: CardPlace,
  record: CardRecord,
): Promise<PinResetChallenge> {
  const missing = await place.unlessIn('written');
  if (missing !== undefined) throw missing;
  const { tpm, roots } = hardware;
  const reset = await PolicySession.start(tpm);
  let write: PolicySession;
  try {
    write = await PolicySession.start(tpm);
  } catch (error) {
    await reset.end();
    throw error;
  }
  const answered = { reset: false, write: false };

  async function takeAnswers(resetSignature: Bytes, writeSignature: Bytes, data: Bytes): Promise<void> {
    const root = await roots.named(record.parentName);
    await withLoaded(tpm, root, decodeStored(record.administratorKey), async (key) => {
      const expirationSeconds = ANSWER_EXPIRATION_SECONDS;
      // A session that took its answer keeps it: when the other answer was mistyped, both are sent again, and signing a
      // session twice would leave it with a policy that no branch has.
      if (!answered.reset) {
        const terms = { cpHash: ANY_PARAMETERS, policyRef: CARD_REFS.reset, expirationSeconds };
        await reset.signed(key, terms, resetSignature);
        answered.reset = true;
      }
      if (!answered.write) {
        const cpHash = nvWriteCpHash({ name: place.index.writtenName, data });
        await write.signed(key, { cpHash, policyRef: CARD_REFS.write, expirationSeconds }, writeSignature);
        answered.write = true;
      }
    });
  }

  async function finish(
    { resetAnswer, writeAnswer }: PinResetAnswers,
    newPin: Secret,
    taken: () => void,
  ): Promise<void> {
    const data = pinCounter(0, record.pinLimit);
    const secure = await roots.session(await roots.named(record.parentName));
    try {
      await withPinValue(newPin, async (authValue) => {
        await takeAnswers(answerSignature(resetAnswer), answerSignature(writeAnswer), data);
        taken();
        await reset.commandCode(TPM_CC.NV_ChangeAuth);
        await place.openBranch(reset);
        await write.commandCode(TPM_CC.NV_Write);
        await place.openBranch(write);
        // The PIN first: should the power fail between, the card is blocked still, with a PIN that its holder chose.
        await changeNvAuth(tpm, place.written, reset.spending(), secure.hiding(), authValue);
        await writeNv(tpm, place.written, write.spending(), data);
      });
    } catch (error) {
      throw await answerRefusal(error, place, 'written');
    }
  }

  const pending = new PendingChallenge(hardware, [reset, write]);
  return {
    resetNonce: reset.nonceTpm,
    writeNonce: write.nonceTpm,
    finish: (answers, newPin) => pending.finish((taken) => finish(answers, newPin, taken)),
    abandon: () => pending.abandon(),
  };
}
