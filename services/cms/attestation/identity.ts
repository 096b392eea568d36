import { createHash, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import {
  type Credential,
  makeCredential,
  parseAttestationKey,
  parseEndorsementKey,
  type SignedStatement,
  verifyEndorsement,
  verifyParent,
} from '@cardwright/protocol/attestation';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { DeviceIdentity, Identities, TpmRoots } from './ports.ts';

type Bytes = Uint8Array;
type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

export interface IdentityDependencies {
  readonly identities: Identities;
  readonly tpmRoots: TpmRoots;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/** For how long a credential that was hidden is awaited: TPMs take seconds. */
const PENDING_MS = 10 * 60_000;

export interface AttestationClaim {
  /** TPM2B_PUBLIC of endorsement key and attestation key. */
  readonly endorsementKey: Bytes;
  readonly attestationKey: Bytes;
  /** DER */
  readonly certificate: Bytes;
  readonly chain: readonly Bytes[];
}

export interface HiddenCredential extends Credential {
  readonly attestationId: string;
  /** For the statement about the storage key. */
  readonly nonce: Bytes;
  readonly expiresAt: Date;
}

/**
 * First half: whether a TPM maker vouches for the endorsement key. Gives a credential that only that TPM can open, and only
 * beside that attestation key.
 * @throws DomainError those of verifyEndorsement, parseEndorsementKey and parseAttestationKey; `device-tpm-changed` (conflict).
 */
export async function beginAttestation(
  deps: IdentityDependencies,
  intent: DeviceIntent,
  claim: AttestationClaim,
): Promise<HiddenCredential> {
  const { identities, unitOfWork, runtime } = deps;
  const deviceId = intent.actor.id;
  const attestationKey = parseAttestationKey(claim.attestationKey);
  const attestationKeyName = hex(attestationKey.name);
  await demandSameTpm(deps, intent, attestationKeyName);
  const endorsementKey = parseEndorsementKey(claim.endorsementKey);
  const { certificate, chain } = claim;
  const tpm = verifyEndorsement({ endorsementKey, certificate, chain }, await deps.tpmRoots.read(), runtime.now());

  const random = (bytes: number) => runtime.randomBytes(bytes);
  const value = random(32);
  const nonce = random(32);
  const hidden = makeCredential(endorsementKey, attestationKey.name, value, random);
  const createdAt = runtime.now();
  const expiresAt = new Date(createdAt.getTime() + PENDING_MS);
  const id = runtime.newId();
  await unitOfWork.run((tx) =>
    identities.propose(tx, {
      ...{ id, deviceId, attestationKeyName, attestationKey: claim.attestationKey, certificate, tpm, nonce },
      ...{ credentialHash: sha256(value), createdAt, expiresAt },
    }),
  );
  return { ...hidden, attestationId: id, nonce, expiresAt };
}

export interface ActivationProof {
  /** What was hidden. */
  readonly credential: Bytes;
  /** TPM2B_PUBLIC of the storage key, and what the TPM states of it. */
  readonly storageKey: Bytes;
  readonly statement: SignedStatement;
}

/**
 * Second half: the credential came back, so the attestation key is in that TPM; it states that the storage key is too.
 * From here on the device is that TPM. Asked again with the same proof it says so again.
 * @throws DomainError `not-found`; `attestation-expired`, `device-tpm-changed`, `storage-key-changed` (conflict);
 *   `credential-not-activated` (unprocessable); those of verifyParent.
 */
export async function activateAttestation(
  deps: IdentityDependencies,
  intent: DeviceIntent,
  attestationId: string,
  proof: ActivationProof,
): Promise<DeviceIdentity> {
  const { identities, unitOfWork, audit, runtime } = deps;
  const deviceId = intent.actor.id;
  return unitOfWork.run(async (tx) => {
    const device = await identities.lockDevice(tx, deviceId);
    const pending = await identities.proposed(tx, attestationId);
    if (device === null || pending === null || pending.deviceId !== deviceId) {
      throw new DomainError('not-found', 'not-found', 'There is no such attestation of this device.');
    }
    if (pending.expiresAt <= runtime.now()) {
      throw new DomainError('conflict', 'attestation-expired', 'This attestation took too long: begin another one.');
    }
    const given = sha256(proof.credential);
    if (!timingSafeEqual(given, pending.credentialHash)) {
      const detail = 'This is not what was hidden: the attestation key is not in the TPM of that endorsement key.';
      throw new DomainError('unprocessable', 'credential-not-activated', detail);
    }
    const asked = { attestationKey: parseAttestationKey(pending.attestationKey), nonce: pending.nonce };
    const storageKeyName = hex(verifyParent(proof.storageKey, proof.statement, asked));
    if (storageKeyName !== device.storageKeyName) {
      const detail = 'Its storage key is not the one that this device was registered with; begin with an empty store.';
      throw new DomainError('conflict', 'storage-key-changed', detail);
    }
    const before = await identities.findIn(tx, deviceId);
    // Between the halves another run may have bound it.
    if (before !== null && before.attestationKeyName !== pending.attestationKeyName) throw tpmChanged();
    const { attestationKeyName, attestationKey, certificate, tpm } = pending;
    const attestedAt = runtime.now();
    const storageKey = proof.storageKey;
    const identity = { deviceId, attestationKeyName, attestationKey, certificate, tpm, storageKey, attestedAt };
    await identities.bind(tx, identity);
    if (pending.activatedAt === null) {
      await identities.setActivated(tx, attestationId, attestedAt);
      await audit.record(tx, intent, {
        action: 'device.attested',
        object: { kind: 'device', id: deviceId },
        about: { deviceId },
        ...(before === null ? {} : { before: { attestedAt: before.attestedAt.toISOString() } }),
        after: { attestationKeyName, storageKeyName, ...tpm },
      });
    }
    return { ...identity, changedAt: before?.changedAt ?? null };
  });
}

/** Refuses, and flags the device, if it was proven to be another TPM. @throws DomainError `device-tpm-changed` (conflict). */
async function demandSameTpm(deps: IdentityDependencies, intent: DeviceIntent, attestationKeyName: string) {
  const known = await deps.identities.find(intent.actor.id);
  if (known === null || known.attestationKeyName === attestationKeyName) return;
  await flagChange(deps, intent, intent.actor.id, { attestationKeyName });
  throw tpmChanged();
}

/** That another TPM spoke in the name of a device which was proven to be one. `saw`: what is known of the other. */
export async function flagChange(
  deps: Pick<IdentityDependencies, 'identities' | 'unitOfWork' | 'audit' | 'runtime'>,
  intent: Intent,
  deviceId: string,
  saw: Readonly<Record<string, unknown>>,
): Promise<void> {
  await deps.unitOfWork.run(async (tx: Tx) => {
    const identity = await deps.identities.findIn(tx, deviceId);
    await deps.identities.markChanged(tx, deviceId, deps.runtime.now());
    await deps.audit.record(tx, intent, {
      action: 'device.tpm-changed',
      object: { kind: 'device', id: deviceId },
      about: { deviceId },
      before: { attestationKeyName: identity?.attestationKeyName },
      after: saw,
    });
  });
}

export function tpmChanged(): DomainError {
  const detail =
    'This is not the TPM that the device was attested with: it was replaced, or the store was copied here. ' +
    "Have the old device's cards retired, and begin with an empty store.";
  return new DomainError('conflict', 'device-tpm-changed', detail);
}

const sha256 = (bytes: Bytes): Bytes => createHash('sha256').update(bytes).digest();
const hex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');
