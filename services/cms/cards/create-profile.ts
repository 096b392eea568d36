import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { ImportableAlgorithm, KeyStrategy } from './card.ts';
import type { CardProfiles, CardProfileView, Derivation } from './ports.ts';

export interface NewProfile {
  readonly name: string;
  readonly displayName: string;
  readonly algorithm: ImportableAlgorithm;
  readonly challengeMode?: 'ecb' | 'cbc' | undefined;
  readonly keyStrategy: KeyStrategy;
  readonly namedKey?: string | undefined;
  readonly derivation?: Derivation | undefined;
  readonly puk?: 'none' | 'optional' | 'required' | undefined;
  readonly keyRotationDays?: number | undefined;
}

export interface CreateProfilePorts {
  readonly profiles: CardProfiles;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}

/** Wrong PINs until a minidriver card blocks itself are the card's own; what is kept of it is what most cards have. */
const MINIDRIVER_PIN_LIMIT = 5;

/**
 * A profile for minidriver cards that exist already.
 * @throws DomainError `card-profile-strategy` (unprocessable): the strategy needs a named key or a derivation, or has no use
 *   for one; `card-profile-exists` (conflict).
 */
export async function createProfile(
  { profiles, unitOfWork, audit }: CreateProfilePorts,
  intent: Intent,
  input: NewProfile,
): Promise<CardProfileView> {
  demandWhole(input);
  const profile: CardProfileView = {
    name: input.name,
    displayName: input.displayName,
    kind: 'minidriver',
    algorithm: input.algorithm,
    challengeMode: input.challengeMode ?? 'ecb',
    keyStrategy: input.keyStrategy,
    namedKey: input.namedKey ?? null,
    derivation: input.derivation ?? null,
    puk: input.puk ?? 'none',
    pinLimit: MINIDRIVER_PIN_LIMIT,
    keyRotationDays: input.keyRotationDays ?? null,
    pinPolicy: {},
    containers: [],
  };
  await unitOfWork.run(async (tx) => {
    if (!(await profiles.insert(tx, profile))) {
      throw new DomainError('conflict', 'card-profile-exists', 'There is a card profile of this name already.');
    }
    const { algorithm, keyStrategy, namedKey, derivation, puk, keyRotationDays } = profile;
    await audit.record(tx, intent, {
      action: 'card-profile.created',
      object: { kind: 'card-profile', id: profile.name },
      after: { algorithm, keyStrategy, namedKey, derivation, puk, keyRotationDays },
    });
  });
  return profile;
}

function demandWhole({ keyStrategy, namedKey, derivation }: NewProfile): void {
  const right = {
    uniform: [true, false, 'names the uniform key (namedKey), and no derivation'],
    deterministic: [true, true, 'names the master of its fleet (namedKey) and the derivation'],
    'random-stored': [false, false, 'names no key and no derivation'],
    'random-not-stored': [false, false, 'names no key and no derivation'],
  } as const;
  const [named, derived, words] = right[keyStrategy];
  if ((namedKey !== undefined) === named && (derivation !== undefined) === derived) return;
  const detail = `A profile of the strategy ${keyStrategy} ${words}.`;
  throw new DomainError('unprocessable', 'card-profile-strategy', detail, {
    fields: [{ pointer: '/keyStrategy', detail }],
  });
}
