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
import { changeNvAuth, isRefusal, PolicySession, RC, writeNv } from '../../tpm/index.ts';
import type { CardRecord, PinResetAnswers, PinResetChallenge, Succession } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { PendingChallenge } from './pending.ts';
import { withPinValue } from './pin-value.ts';
import type { CardPlace } from './place.ts';
import { answerRefusal } from './refusals.ts';
import { AuthorityChain } from './succession.ts';

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
  /** Which generation's answer each session took. */
  const taken: { reset?: number; write?: number } = {};

  /**
   * By whichever key the server answered: while a change of keys is under way, that may be either. A refused
   * PolicySigned changes nothing and leaves the nonce as it was. A session that took its answer keeps it: when the other
   * answer was mistyped, both are sent again, and signing a session twice would leave it with a policy that no branch has.
   */
  async function takeAnswers(
    chain: AuthorityChain,
    resetSignature: Bytes,
    writeSignature: Bytes,
    data: Bytes,
  ): Promise<void> {
    const cpHash = nvWriteCpHash({ name: place.index.writtenName, data });
    let refusal: unknown;
    for (let generation = chain.newest; generation >= 0; generation--) {
      try {
        await chain.withKey(generation, async (key) => {
          if (taken.reset === undefined) {
            await reset.signed(key, termsOf(CARD_REFS.reset, ANY_PARAMETERS), resetSignature);
            taken.reset = generation;
          }
          if (taken.write === undefined) {
            await write.signed(key, termsOf(CARD_REFS.write, cpHash), writeSignature);
            taken.write = generation;
          }
        });
        return;
      } catch (error) {
        if (!isRefusal(error, RC.SIGNATURE)) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  }

  async function finish(
    { resetAnswer, writeAnswer }: PinResetAnswers,
    newPin: Secret,
    successions: readonly Succession[],
    over: () => void,
  ): Promise<void> {
    const chain = new AuthorityChain(hardware, place, { ...record, successions });
    const data = pinCounter(0, record.pinLimit);
    const secure = await roots.session(await roots.named(record.parentName));
    try {
      await withPinValue(newPin, async (authValue) => {
        await takeAnswers(chain, answerSignature(resetAnswer), answerSignature(writeAnswer), data);
        over();
        await reset.commandCode(TPM_CC.NV_ChangeAuth);
        await chain.open(reset, taken.reset ?? 0);
        await write.commandCode(TPM_CC.NV_Write);
        await chain.open(write, taken.write ?? 0);
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
    finish: (answers, newPin, successions = record.successions) =>
      pending.finish((over) => finish(answers, newPin, successions, over)),
    abandon: () => pending.abandon(),
  };
}

const termsOf = (policyRef: Bytes, cpHash: Bytes) => ({
  cpHash,
  policyRef,
  expirationSeconds: ANSWER_EXPIRATION_SECONDS,
});
