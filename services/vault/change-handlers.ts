import type { LinkHandler } from '@cardwright/link';
import { confirmChange } from './confirm-change.ts';
import type { Custody } from './custody.ts';
import { text } from './link-text.ts';
import { type KeyForTpm, REPLACEMENT_STRATEGIES, type SignedApproval, TPM_STRATEGIES } from './operations.ts';
import { bytes, integer, line, oneOf, optional, params, uuid } from './params.ts';
import type { KeyStore } from './ports.ts';
import { proposeReplacement } from './propose-replacement.ts';
import { proposeSuccessor } from './propose-successor.ts';
import type { Recording } from './secret-handlers.ts';

const asked = { requestedBy: line(200), requestId: line(200), cardId: uuid };
const parentPublic = bytes(1, 1024);

const parse = {
  successor: params({ ...asked, strategy: oneOf(TPM_STRATEGIES), parentPublic }),
  replacement: params({
    ...asked,
    strategy: oneOf(REPLACEMENT_STRATEGIES),
    parentPublic,
    algorithm: optional(oneOf(['tdes', 'aes-128', 'aes-192', 'aes-256'])),
  }),
  confirm: params({ ...asked, keyVersion: integer(1, 1_000_000) }),
};

/** The operations by which a card gets another administrator key. */
export function changeHandlers(custody: Custody, keys: KeyStore, to: Recording): Record<string, LinkHandler> {
  return {
    'key.propose-successor': async (given) => {
      const wanted = parse.successor(given);
      const use = to.useOf('key.propose-successor', wanted, wanted.parentPublic);
      const made = await to.recordingRefusals(use, () => proposeSuccessor(custody, keys, wanted, use));
      return { ...wrapped(made), approval: approved(made.approval), rehearsal: approved(made.rehearsal) };
    },
    'key.propose-replacement': async (given) => {
      const { algorithm, ...wanted } = parse.replacement(given);
      const use = to.useOf('key.propose-replacement', wanted, wanted.parentPublic);
      const of = algorithm === undefined ? wanted : { ...wanted, algorithm };
      const made = await to.recordingRefusals(use, () => proposeReplacement(custody, keys, of, use));
      return { ...wrapped(made), algorithm: made.algorithm, kcv: made.kcv };
    },
    'key.confirm-change': async (given) => {
      const wanted = parse.confirm(given);
      const use = to.useOf('key.confirm-change', wanted, null);
      await to.recordingRefusals(use, () => confirmChange(custody, keys, wanted, use, to.recordDone));
      return {};
    },
  };
}

export function wrapped(made: KeyForTpm) {
  return {
    keyVersion: made.keyVersion,
    name: text(made.name),
    public: text(made.public),
    duplicate: text(made.duplicate),
    inSymSeed: text(made.inSymSeed),
  };
}

export function approved({ approvedPolicy, signature }: SignedApproval) {
  return { approvedPolicy: text(approvedPolicy), signature: text(signature) };
}
