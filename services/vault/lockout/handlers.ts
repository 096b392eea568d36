import type { LinkHandler } from '@cardwright/link';
import type { Custody } from '../custody.ts';
import { text } from '../link-text.ts';
import { bytes, line, params, uuid } from '../params.ts';
import type { SecretStore } from '../ports.ts';
import type { Recording } from '../secret-handlers.ts';
import { protectLockout, resetLockout } from './lockout.ts';

const asked = { requestedBy: line(200), requestId: line(200), deviceId: uuid };

const parse = {
  protect: params({ ...asked, parentPublic: bytes(1, 1024) }),
  reset: params({ ...asked, parentName: bytes(34, 34), nonce: bytes(16, 16) }),
};

/** The lockout of the TPM of a device. The record speaks of cards; a device's id stands in that place. */
export function lockoutHandlers(custody: Custody, secrets: SecretStore, to: Recording): Record<string, LinkHandler> {
  return {
    'lockout.protect': async (given) => {
      const wanted = parse.protect(given);
      const use = to.useOf('lockout.protect', { ...wanted, cardId: wanted.deviceId }, wanted.parentPublic);
      const made = await to.recordingRefusals(use, () => protectLockout(custody, secrets, wanted, use, to.recordDone));
      return {
        authority: text(made.authority),
        public: text(made.public),
        duplicate: text(made.duplicate),
        inSymSeed: text(made.inSymSeed),
        name: text(made.name),
      };
    },
    'lockout.reset': async (given) => {
      const wanted = parse.reset(given);
      const use = to.useOf('lockout.reset', { ...wanted, cardId: wanted.deviceId }, wanted.nonce);
      const { signature } = await to.recording(use, () => resetLockout(custody, secrets, wanted));
      return { signature: text(signature) };
    },
  };
}
