import { DomainError } from '@cardwright/protocol';
import type { CertificateProfiles } from '../certificate-profiles/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { Algorithm, KeyStrategy } from './card.ts';
import type { CardProfiles, CardProfileView, Derivation } from './ports.ts';
import {
  enrolmentRulesOf,
  judgeTpmRules,
  PIN_LIMIT,
  refused,
  type TpmRules,
  type TpmRulesInput,
  tpmRulesOf,
} from './profile-rules.ts';

export interface NewProfile extends TpmRulesInput {
  readonly name: string;
  readonly displayName: string;
  /** `hmac-sha256` is a TPM card's, every other one a minidriver card's. */
  readonly algorithm: Algorithm;
  readonly challengeMode?: 'ecb' | 'cbc' | undefined;
  readonly keyStrategy: KeyStrategy;
  readonly namedKey?: string | undefined;
  readonly derivation?: Derivation | undefined;
  readonly puk?: 'none' | 'optional' | 'required' | undefined;
  readonly keyRotationDays?: number | undefined;
}

export interface CreateProfilePorts {
  readonly profiles: CardProfiles;
  readonly certificateProfiles: Pick<CertificateProfiles, 'findIn'>;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}

/** Of a minidriver card they are the card's own; what is kept of them is what most cards have. */
const MINIDRIVER_RULES: TpmRules = {
  pinLimit: PIN_LIMIT,
  pinPolicy: {},
  containers: [],
  attestation: 'off',
  selfServiceUnblock: false,
  ...enrolmentRulesOf({}),
};

/**
 * A profile for TPM cards that will be made, or for minidriver cards that exist already.
 * @throws DomainError, of kind `unprocessable`: `card-profile-strategy` (the strategy needs a named key or a derivation, or
 *   has no use for one), `card-profile-not-for-kind` (a field that such cards don't have), those of `judgeTpmRules`; and
 *   `card-profile-exists` (conflict).
 */
export async function createProfile(
  { profiles, certificateProfiles, unitOfWork, audit }: CreateProfilePorts,
  intent: Intent,
  input: NewProfile,
): Promise<CardProfileView> {
  const kind = input.algorithm === 'hmac-sha256' ? 'tpm' : 'minidriver';
  if (kind === 'tpm') demandWholeTpm(input);
  else demandWhole(input);
  const profile: CardProfileView = {
    name: input.name,
    displayName: input.displayName,
    kind,
    algorithm: input.algorithm,
    challengeMode: input.challengeMode ?? 'ecb',
    keyStrategy: input.keyStrategy,
    namedKey: input.namedKey ?? null,
    derivation: input.derivation ?? null,
    puk: input.puk ?? 'none',
    keyRotationDays: input.keyRotationDays ?? null,
    version: 1,
    ...(kind === 'tpm' ? tpmRulesOf(input) : MINIDRIVER_RULES),
  };
  await unitOfWork.run(async (tx) => {
    if (kind === 'tpm') await judgeTpmRules(profile, certificateProfiles, tx);
    if (!(await profiles.insert(tx, profile))) {
      throw new DomainError('conflict', 'card-profile-exists', 'There is a card profile of this name already.');
    }
    const { algorithm, keyStrategy, namedKey, derivation, puk, keyRotationDays, selfServiceUnblock } = profile;
    const { pinLimit, pinPolicy, containers } = profile;
    await audit.record(tx, intent, {
      action: 'card-profile.created',
      object: { kind: 'card-profile', id: profile.name },
      after: {
        ...{ algorithm, keyStrategy, namedKey, derivation, puk, keyRotationDays, selfServiceUnblock },
        ...(kind === 'tpm' ? { pinLimit, pinPolicy, containers, ...enrolmentRulesOf(profile) } : {}),
      },
    });
  });
  return profile;
}

/** What such cards don't have is refused and not dropped: whoever asked for it would believe in it. */
function demandNone(input: NewProfile, fields: readonly (keyof NewProfile)[], of: string): void {
  const given = fields.filter((field) => input[field] !== undefined);
  if (given.length === 0) return;
  throw new DomainError('unprocessable', 'card-profile-not-for-kind', `Such a field is not for ${of}.`, {
    fields: given.map((field) => ({ pointer: `/${field}`, detail: `Not for ${of}: leave it out.` })),
  });
}

function demandWholeTpm(input: NewProfile): void {
  demandNone(input, ['challengeMode', 'namedKey', 'derivation', 'puk'], 'TPM cards');
  if (input.keyStrategy === 'uniform') {
    const detail = 'The key of a TPM card is made for it alone: random-stored, random-not-stored or deterministic.';
    throw refused('card-profile-strategy', '/keyStrategy', detail);
  }
}

/**
 * From now on keys of cards of this profile that are older than `days` are changed; null: none is, by its age.
 * @throws DomainError `not-found`.
 */
export async function setKeyRotation(
  { profiles, unitOfWork, audit }: Pick<CreateProfilePorts, 'profiles' | 'unitOfWork' | 'audit'>,
  intent: Intent,
  name: string,
  days: number | null,
): Promise<void> {
  await unitOfWork.run(async (tx) => {
    const before = await profiles.setKeyRotation(tx, name, days);
    if (before === undefined) throw new DomainError('not-found', 'not-found', 'There is no such card profile.');
    await audit.record(tx, intent, {
      action: 'card-profile.key-rotation-set',
      object: { kind: 'card-profile', id: name },
      before: { keyRotationDays: before },
      after: { keyRotationDays: days },
    });
  });
}

const TPM_ONLY = [
  ...(['pinLimit', 'pinPolicy', 'containers', 'attestation', 'selfServiceUnblock'] as const),
  ...(['enrolmentMethods', 'initialPin', 'signerAssurance'] as const),
];

function demandWhole(input: NewProfile): void {
  demandNone(input, TPM_ONLY, 'minidriver cards');
  const { keyStrategy, namedKey, derivation } = input;
  const right = {
    uniform: [true, false, 'names the uniform key (namedKey), and no derivation'],
    deterministic: [true, true, 'names the master of its fleet (namedKey) and the derivation'],
    'random-stored': [false, false, 'names no key and no derivation'],
    'random-not-stored': [false, false, 'names no key and no derivation'],
  } as const;
  const [named, derived, words] = right[keyStrategy];
  if ((namedKey !== undefined) === named && (derivation !== undefined) === derived) return;
  throw refused('card-profile-strategy', '/keyStrategy', `A profile of the strategy ${keyStrategy} ${words}.`);
}
