import { DomainError } from '@cardwright/protocol';
import { type AttestationDesk, flagChange, type Identities, tpmChanged } from '../attestation/index.ts';
import {
  CARD_SERIAL_RANDOM_BYTES,
  type CardRecords,
  type EnrolmentMethod,
  type InitialPin,
  makeCardSerial,
} from '../cards/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { type CancelEnrolmentDependencies, undoEnrolment } from './cancel-enrolment.ts';
import { codeHash, parseCode } from './code.ts';
import {
  assertMay,
  type ClaimedEnrolment,
  type CompletedEnrolment,
  type Enrolment,
  type HandOverState,
} from './enrolment.ts';
import type { DeviceFacts, EnrollingDevices, EnrolmentProfile } from './ports.ts';

export interface ClaimDependencies extends CancelEnrolmentDependencies {
  readonly cards: CardRecords;
  readonly devices: EnrollingDevices;
  readonly identities: Identities;
  readonly attestation: AttestationDesk;
  readonly runtime: Runtime;
}

export interface ClaimInput {
  /** As typed. */
  readonly code: string;
  /** SHA-256 of the device token, which the device stored before it asked: a lost answer can be asked for again. */
  readonly tokenHash: Uint8Array;
  readonly device: DeviceFacts;
}

export interface Claim {
  readonly enrolmentId: string;
  readonly state: 'claimed' | 'completed';
  readonly cardId: string;
  readonly cardSerial: string;
  readonly deviceId: string;
  readonly person: { readonly displayName: string; readonly userPrincipalName: string };
  readonly profile: EnrolmentProfile;
  readonly method: EnrolmentMethod;
  readonly initialPin: InitialPin;
  /** What a PIN that nobody is to see is sealed to. */
  readonly handOver: Pick<HandOverState, 'publicKey' | 'salt'> | null;
}

/**
 * Gives the code to one device for ever, and makes the records of the device and of the card in the same transaction.
 * The same code with the same token gives the same claim.
 * @throws DomainError `enrolment-code-unknown` (unprocessable); `enrolment-code-used`, `enrolment-code-expired`,
 *   `enrolment-cancelled`, `card-already-active`, `device-changed`, `device-tpm-changed` (conflict).
 */
export async function claimEnrolment(deps: ClaimDependencies, requestId: string, input: ClaimInput): Promise<Claim> {
  const { enrolments, revocations, unitOfWork } = deps;
  const code = parseCode(input.code);
  if (code === undefined) throw codeUnknown();
  let impostor: { readonly intent: Intent; readonly deviceId: string } | undefined;
  const claiming = unitOfWork.run(async (tx) => {
    const found = await enrolments.lockByCode(tx, codeHash(code));
    if (found === null) throw codeUnknown();
    const actor: Actor = { kind: 'enrolment-code', id: found.id, name: 'holder of the enrolment code' };
    const intent: Intent = { actor, requestId };
    const known = await deps.devices.findByToken(tx, input.tokenHash);
    const again = claimedBefore(found, known?.id);
    if (again !== null) return { enrolment: again, abandoned: [], intent };
    assertMay('claim', found, deps.runtime.now());
    if (known !== null && (await isAnotherTpm(deps, tx, known, input))) {
      impostor = { intent, deviceId: known.id };
      throw tpmChanged();
    }
    return { ...(await claim(deps, tx, intent, found, known, input)), intent };
  });
  const { enrolment, abandoned, intent } = await claiming.catch(async (error: unknown) => {
    // The refusal undoes its transaction; that it happened is kept in one of its own.
    const { storageKeyName } = input.device;
    if (impostor !== undefined) await flagChange(deps, impostor.intent, impostor.deviceId, { storageKeyName });
    throw error;
  });
  await revocations.confirmAll(intent, abandoned);
  return describe(deps, enrolment);
}

/** Of a device that was proven to be one TPM, and now shows the storage key of another. */
async function isAnotherTpm(
  deps: ClaimDependencies,
  tx: Tx,
  known: { readonly id: string; readonly storageKeyName: string },
  input: ClaimInput,
): Promise<boolean> {
  if (known.storageKeyName === input.device.storageKeyName) return false;
  return (await deps.identities.findIn(tx, known.id)) !== null;
}

function claimedBefore(
  enrolment: Enrolment,
  deviceId: string | undefined,
): ClaimedEnrolment | CompletedEnrolment | null {
  const finished = enrolment.state === 'claimed' || enrolment.state === 'completed';
  return finished && enrolment.deviceId === deviceId ? enrolment : null;
}

async function claim(
  deps: ClaimDependencies,
  tx: Tx,
  intent: Intent,
  enrolment: Enrolment,
  known: { readonly id: string; readonly storageKeyName: string } | null,
  input: ClaimInput,
): Promise<{ enrolment: ClaimedEnrolment; abandoned: string[] }> {
  const { enrolments, cards, devices, audit, runtime } = deps;
  const { personId, profileName } = enrolment;
  if (known !== null && known.storageKeyName !== input.device.storageKeyName) {
    throw new DomainError(
      'conflict',
      'device-changed',
      'The TPM of this device is not the one that this token was made on; begin with an empty store.',
    );
  }
  const abandoned: string[] = [];
  if (known !== null) {
    if (await enrolments.hasCardInUse(tx, personId, known.id)) throw alreadyActive();
    // A device that begins anew has given up what it began before: never two unfinished cards of one person on it.
    for (const earlier of await enrolments.lockUnfinished(tx, personId, known.id)) {
      abandoned.push(...(await undoEnrolment(deps, tx, intent, earlier, 'the device began a new enrolment')));
    }
  }
  const profile = await enrolments.profile(profileName);
  if (profile === null) throw new Error(`enrolment ${enrolment.id} has a profile that does not exist`);
  const device = known ?? (await devices.register(tx, intent, input.tokenHash, input.device));
  const cardId = runtime.newId();
  const serial = makeCardSerial(runtime.randomBytes(CARD_SERIAL_RANDOM_BYTES));
  await cards.insert(tx, {
    id: cardId,
    serial,
    personId,
    deviceId: device.id,
    profileName,
    kind: 'tpm',
    algorithm: 'hmac-sha256',
    challengeMode: 'ecb',
    keyStrategy: profile.keyStrategy,
    keyVersion: null,
    takeOverPending: false,
    namedKey: null,
    hasPuk: false,
    pukShownAt: null,
    state: 'requested',
    nvIndex: null,
    pinLimit: profile.pinLimit,
    triesLeft: null,
    createdAt: runtime.now(),
  });
  await enrolments.setClaimed(tx, enrolment.id, device.id, cardId);
  const about = { personId, deviceId: device.id, cardId, enrolmentId: enrolment.id };
  await audit.record(tx, intent, {
    action: 'enrolment.claimed',
    object: { kind: 'enrolment', id: enrolment.id },
    about,
    before: { state: 'open' },
    after: { state: 'claimed', hostName: input.device.hostName },
  });
  await audit.record(tx, intent, {
    action: 'card.requested',
    object: { kind: 'card', id: cardId },
    about,
    after: { state: 'requested', serial },
  });
  return { enrolment: { ...enrolment, state: 'claimed', deviceId: device.id, cardId }, abandoned };
}

async function describe(deps: ClaimDependencies, enrolment: ClaimedEnrolment | CompletedEnrolment): Promise<Claim> {
  const facts = await deps.enrolments.claimOf(enrolment.id);
  const profile = await deps.enrolments.profile(enrolment.profileName);
  if (facts === null || profile === null) throw new Error(`enrolment ${enrolment.id} lost its card or its profile`);
  const { id: enrolmentId, state, cardId, deviceId, method, initialPin, handOver } = enrolment;
  const attestation = await deps.attestation.effectivePolicy(profile.attestation);
  const about = { enrolmentId, state, cardId, deviceId, method, initialPin, handOver };
  return { ...about, ...facts, profile: { ...profile, attestation } };
}

export function alreadyActive(): DomainError {
  return new DomainError(
    'conflict',
    'card-already-active',
    'This person has a card in use on this device already; retire that card first.',
  );
}

function codeUnknown(): DomainError {
  return new DomainError(
    'unprocessable',
    'enrolment-code-unknown',
    'There is no such enrolment code; a code has three groups of four characters, such as 7K3M-92QF-XD4T.',
    { fields: [{ pointer: '/code', detail: 'is not the code of an enrolment' }] },
  );
}
