import { Secret } from '@cardwright/protocol';
import { MAX_SEALED_BYTES, TPM_CC } from '@cardwright/protocol/tpm';
import type { Entity } from './command.ts';
import type { HmacSession } from './hmac-session.ts';
import type { Tpm } from './tpm.ts';

/**
 * What a data object holds whose authValue is empty. It comes enciphered from the TPM: who listens on the bus between chip
 * and processor learns nothing. The caller wipes it.
 */
export async function unseal(tpm: Tpm, item: Entity, session: HmacSession): Promise<Secret> {
  const { parameters, forget } = await tpm.run({
    code: TPM_CC.Unseal,
    handles: [item],
    authorizers: [session.proving(new Uint8Array(), 'reveal-first')],
  });
  try {
    const secret = Secret.take(parameters.sized(MAX_SEALED_BYTES, 'sealed data'));
    parameters.end();
    return secret;
  } finally {
    forget?.();
  }
}
