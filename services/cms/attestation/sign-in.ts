import { DomainError } from '@cardwright/protocol';
import { parseAssertion, parseAttestationKey, verifyAssertion } from '@cardwright/protocol/attestation';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { tpmChanged } from './identity.ts';
import type { DeviceTokens, Identities } from './ports.ts';

export interface DeviceSignInDependencies {
  readonly identities: Identities;
  readonly deviceTokens: DeviceTokens;
  readonly unitOfWork: UnitOfWork;
  readonly runtime: Runtime;
  /** The token endpoint's URLs, as devices reach it. */
  readonly audiences: readonly string[];
  /** How a token is kept. */
  readonly hashToken: (token: string) => Uint8Array;
}

export const ACCESS_TOKEN_SECONDS = 600;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * An access token for an assertion that the device's attestation key signed (RFC 7523, section 2.1). It lives ten minutes:
 * what is stolen from a device's memory or disk is soon of no use, and the key can't be stolen.
 * @throws DomainError (unauthenticated) those of parseAssertion and verifyAssertion, `device-not-attested`,
 *   `assertion-replayed`; `device-tpm-changed` (conflict).
 */
export async function signDeviceIn(
  deps: DeviceSignInDependencies,
  text: string,
): Promise<{ readonly accessToken: string; readonly deviceId: string; readonly expiresInSeconds: number }> {
  const assertion = parseAssertion(text);
  const { deviceId, jti } = assertion;
  const identity = UUID.test(deviceId) ? await deps.identities.find(deviceId) : null;
  if (identity === null) {
    const detail = 'No device of this id was attested: it signs in with its token, or enrols.';
    throw new DomainError('unauthenticated', 'device-not-attested', detail);
  }
  if (identity.attestationKeyName !== assertion.keyName) throw tpmChanged();
  const now = deps.runtime.now();
  verifyAssertion(assertion, { key: parseAttestationKey(identity.attestationKey), audiences: deps.audiences, now });
  const accessToken = Buffer.from(deps.runtime.randomBytes(32)).toString('base64url');
  const expiresAt = new Date(now.getTime() + ACCESS_TOKEN_SECONDS * 1000);
  await deps.unitOfWork.run(async (tx) => {
    // Kept beyond its own end by what clocks may differ.
    const until = new Date(assertion.expiresAt * 1000 + 120_000);
    if (!(await deps.deviceTokens.spend(tx, { deviceId, jti, expiresAt: until }, now))) {
      throw new DomainError(
        'unauthenticated',
        'assertion-replayed',
        'This assertion was used before: make another one.',
      );
    }
    await deps.deviceTokens.put(tx, { tokenHash: deps.hashToken(accessToken), deviceId, expiresAt }, now);
  });
  return { accessToken, deviceId, expiresInSeconds: ACCESS_TOKEN_SECONDS };
}
