import { createHash } from 'node:crypto';
import type { LinkHandler } from '@cardwright/link';
import { isDomainError } from '@cardwright/protocol';
import { CARD_NV_FIRST, CARD_NV_LAST } from '@cardwright/protocol/tpm';
import { answerChallenge } from './answer-challenge.ts';
import { MAX_CHALLENGE_BYTES } from './challenge-response.ts';
import { approved, changeHandlers, wrapped } from './change-handlers.ts';
import { confirmKey } from './confirm-key.ts';
import type { Custody } from './custody.ts';
import { importAdministratorKey } from './import-administrator-key.ts';
import type { KeyRecord } from './key-record.ts';
import type { Stores } from './keys.pg.ts';
import type { Limits } from './limits/limits.ts';
import { text } from './link-text.ts';
import { lockoutHandlers } from './lockout/handlers.ts';
import { makeKeyForTpm } from './make-key-for-tpm.ts';
import { CHALLENGE_MODES, type KeyDescription, type Requester, TPM_STRATEGIES } from './operations.ts';
import { bytes, decimal, flag, integer, line, oneOf, optional, params, uuid } from './params.ts';
import type { Use, UseRecord } from './ports.ts';
import type { AlertStore } from './record/alerts.pg.ts';
import { resetTpmCard } from './reset-tpm-card.ts';
import { sealedPuk, secretHandlers } from './secret-handlers.ts';
import { firstWriteClaim, signFirstWrite } from './sign-first-write.ts';

const requester = { requestedBy: line(200), requestId: line(200) };
const keyVersion = integer(1, 1_000_000);
const nvIndex = integer(CARD_NV_FIRST, CARD_NV_LAST);
/** nonceTPM is as long as the nonceCaller: our sessions use 16 bytes. */
const nonce = bytes(16, 16);

const parse = {
  none: params({}),
  import: params({
    ...requester,
    cardId: uuid,
    cardSerial: line(64),
    algorithm: oneOf(['tdes', 'aes-128', 'aes-192', 'aes-256']),
    jwe: line(4096),
    takeOver: optional(flag),
    puk: optional(sealedPuk),
  }),
  make: params({
    ...requester,
    cardId: uuid,
    strategy: oneOf(TPM_STRATEGIES),
    parentPublic: bytes(1, 1024),
    pinLimit: integer(1, 100),
  }),
  firstWrite: params({ ...requester, cardId: uuid, keyVersion, nvIndex, nonce }),
  confirm: params({ ...requester, cardId: uuid, keyVersion }),
  reset: params({ ...requester, cardId: uuid, keyVersion, nvIndex, resetNonce: nonce, writeNonce: nonce }),
  answer: params({
    ...requester,
    cardId: uuid,
    keyVersion,
    challenge: bytes(0, 4 * MAX_CHALLENGE_BYTES),
    mode: oneOf(CHALLENGE_MODES),
  }),
  describe: params({ ...requester, cardId: uuid }),
  alerts: params({ after: decimal, limit: integer(1, 500) }),
};

/**
 * The operations as they come over the link. Whatever touches a key is in the record of uses before it is answered,
 * refusals with their code: a caller that asks for what it may not have leaves a trace as well.
 */
export function vaultHandlers(
  custody: Custody,
  keys: Stores,
  uses: UseRecord,
  guard: { readonly limits: Limits; readonly alerts: AlertStore; readonly uniformAllowed: boolean },
): Record<string, LinkHandler> {
  const recordDone = (use: Use) => uses.record(use, 'done');

  async function recordingRefusals<T>(use: Use, work: () => Promise<T>): Promise<T> {
    try {
      guard.limits.admit(use);
      return await work();
    } catch (error) {
      // Without the database there is nothing to record to, and nothing was given away.
      if (!isDomainError(error) || error.kind !== 'unavailable') {
        await uses.record(use, isDomainError(error) ? error.code : 'internal');
      }
      throw error;
    }
  }

  async function recording<T>(use: Use, work: () => Promise<T>): Promise<T> {
    const result = await recordingRefusals(use, work);
    await recordDone(use);
    return result;
  }

  const to = { recordDone, recordingRefusals, recording, useOf };
  const ports = { custody, keys, secrets: keys, imports: keys, uniformAllowed: guard.uniformAllowed };
  return {
    ...secretHandlers(ports, to),
    ...changeHandlers(custody, keys, to),
    ...lockoutHandlers(custody, keys, to),
    health: async (given) => {
      parse.none(given);
      const { name, holders, kekVersion } = custody.provider;
      return { ready: true, provider: name, holders, kekVersion };
    },
    'import-key': async (given) => {
      parse.none(given);
      return { jwk: custody.provider.importPublicKey };
    },
    'key.import': async (given) => {
      const { takeOver = false, puk, ...asked } = parse.import(given);
      const use = useOf('key.import', asked, null);
      const wanted = { ...asked, takeOver, ...(puk === undefined ? {} : { puk }) };
      return recordingRefusals(use, () => importAdministratorKey(ports, wanted, use, recordDone));
    },
    'key.make-for-tpm': async (given) => {
      const asked = parse.make(given);
      const use = useOf('key.make-for-tpm', asked, asked.parentPublic);
      const made = await recordingRefusals(use, () => makeKeyForTpm(custody, keys, asked, use));
      return wrapped(made);
    },
    'tpm.first-write': async (given) => {
      const asked = parse.firstWrite(given);
      const use = useOf('tpm.first-write', asked, firstWriteClaim(asked));
      const signed = await recordingRefusals(use, () => signFirstWrite(custody, keys, asked, use, recordDone));
      return {
        answer: text(signed.answer),
        selfChange: approved(signed.selfChange),
        expirationSeconds: signed.expirationSeconds,
      };
    },
    'key.confirm': async (given) => {
      const asked = parse.confirm(given);
      const use = useOf('key.confirm', asked, null);
      await recordingRefusals(use, () => confirmKey(keys, asked, use, recordDone));
      return {};
    },
    'tpm.reset': async (given) => {
      const asked = parse.reset(given);
      const use = useOf('tpm.reset', asked, Buffer.concat([asked.resetNonce, asked.writeNonce]));
      const signed = await recording(use, () => resetTpmCard(custody, keys, asked));
      return {
        resetAnswer: text(signed.resetAnswer),
        writeAnswer: text(signed.writeAnswer),
        expirationSeconds: signed.expirationSeconds,
      };
    },
    answer: async (given) => {
      const asked = parse.answer(given);
      const use = useOf('answer', asked, asked.challenge);
      const answered = await recording(use, () => answerChallenge(custody, keys, asked));
      return { response: text(answered.response) };
    },
    'key.describe': async (given) => {
      const asked = parse.describe(given);
      const versions = await recording(useOf('key.describe', asked, null), () => keys.list(asked.cardId));
      return { versions: versions.map(describe) };
    },
    alerts: async (given) => {
      const { after, limit } = parse.alerts(given);
      return { alerts: await guard.alerts.after(BigInt(after), limit) };
    },
  };
}

type Asked = Requester & { readonly cardId: string; readonly keyVersion?: number };

function useOf(operation: string, asked: Asked, challenge: Uint8Array | null): Use {
  return {
    operation,
    cardId: asked.cardId,
    keyVersion: asked.keyVersion ?? null,
    requestedBy: asked.requestedBy,
    requestId: asked.requestId,
    challengeDigest: challenge === null ? null : createHash('sha256').update(challenge).digest(),
  };
}

function describe(record: KeyRecord): KeyDescription {
  const { algorithm, strategy, state, kcv, pinLimit } = record;
  const createdAt = record.createdAt.toISOString();
  return { keyVersion: record.keyVersion, algorithm, strategy, state, kcv, createdAt, pinLimit };
}
