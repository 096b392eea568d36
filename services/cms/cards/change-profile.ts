import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import { demandVersion, type ExpectedVersion } from '../kernel/expected-version.ts';
import type { CreateProfilePorts } from './create-profile.ts';
import type { CardProfileView } from './ports.ts';
import { judgeTpmRules, type TpmRulesInput, tpmRulesOf } from './profile-rules.ts';

export interface ChangedProfile extends TpmRulesInput {
  readonly displayName: string;
}

/**
 * Rules of a profile of TPM cards, as they are from now on: for cards that are made, and for what is done with those that
 * are there. How its keys come about stays, for that is in the cards.
 * @throws DomainError `not-found`; `etag-stale`; `card-profile-not-for-kind` (unprocessable): of minidriver cards the card
 *   itself says these; those of `judgeTpmRules`.
 */
export async function changeProfile(
  { profiles, certificateProfiles, unitOfWork, audit }: CreateProfilePorts,
  intent: Intent,
  name: string,
  expected: ExpectedVersion,
  input: ChangedProfile,
): Promise<CardProfileView> {
  return await unitOfWork.run(async (tx) => {
    const before = await profiles.lock(tx, name);
    if (before === null) throw new DomainError('not-found', 'not-found', 'There is no such card profile.');
    demandVersion(expected, before.version);
    if (before.kind !== 'tpm') {
      const detail = 'Only a profile of TPM cards has such rules; of a minidriver card the card itself has them.';
      throw new DomainError('unprocessable', 'card-profile-not-for-kind', detail);
    }
    const rules = { displayName: input.displayName, ...tpmRulesOf(input) };
    await judgeTpmRules(rules, certificateProfiles, tx);
    const after = { ...before, ...rules, version: before.version + 1 };
    await profiles.update(tx, after);
    const names = (Object.keys(rules) as (keyof typeof rules)[]).filter(
      (field) => JSON.stringify(rules[field]) !== JSON.stringify(before[field]),
    );
    const pick = (profile: CardProfileView) => Object.fromEntries(names.map((field) => [field, profile[field]]));
    await audit.record(tx, intent, {
      action: 'card-profile.changed',
      object: { kind: 'card-profile', id: name },
      before: pick(before),
      after: pick(after),
    });
    return after;
  });
}
