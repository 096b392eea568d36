import { until } from '@cardwright/infra';
import { expect } from 'vitest';
import { type Ran, refusalOf } from '../run.ts';
import { bothRecordsAgree } from '../vault-audit.ts';
import { newEnrolment, type TappedDevice } from './key-creation.ts';
import { pinIsReset } from './resets.ts';
import type { TappedSystem } from './tapped-system.ts';

/** Below services/protocol's MAX_SUCCESSIONS: a card is then given back, and another one made. */
const CHANGES_A_CARD = 12;

/** An active card in the TPM, whose agent does its tasks when it is run. */
export interface RotatingCard {
  readonly cardId: string;
  readonly serial: string;
  /** One round of the agent: it checks in and does what it is told. */
  round(env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Asks for another administrator key. Gives the id of the change. */
  ask(): Promise<string>;
  /** Forgot PIN: in the TPM, by whichever key it needs. */
  reset(): Promise<void>;
  /** Gives the TPM its place back. */
  destroy(): Promise<void>;
  changes: number;
}

export async function rotatingCard(tapped: TappedSystem, on: TappedDevice): Promise<RotatingCard> {
  const { system } = tapped;
  const enrolment = await newEnrolment(tapped, on);
  const enrolled = await enrolment.enrol();
  expect(refusalOf(enrolled), enrolled.stderr).toBeNull();
  const { body } = await system.as('helpdesk').get(`/cards?personId=${enrolment.person.id}&state=active`);
  const [{ id: cardId, serial }] = body.items;
  return {
    ...{ cardId, serial, changes: 0 },
    round: (env) => on.run(enrolment.store, ['run', '--once'], '', env),
    async ask() {
      const asked = { cause: 'periodic', reason: 'keys of last year are to go' };
      const made = await system.as('security-officer').post(`/cards/${cardId}/administrator-key-changes`, asked);
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      return made.body.id;
    },
    reset: () => pinIsReset(system, enrolment.store, cardId),
    async destroy() {
      const destroyed = await enrolment.store.agent(['destroy', '--card', serial, '--yes']);
      expect(refusalOf(destroyed), destroyed.stderr).toBeNull();
    },
  };
}

/** The same card as long as it may be given more keys; then it is destroyed, and there is another one. */
export async function nextCard(
  tapped: TappedSystem,
  on: TappedDevice,
  before: RotatingCard | undefined,
): Promise<RotatingCard> {
  const enough = before !== undefined && before.changes >= CHANGES_A_CARD;
  if (enough) await before.destroy();
  const card = before === undefined || enough ? await rotatingCard(tapped, on) : before;
  card.changes += 1;
  return card;
}

/**
 * While both keys are kept the PIN can be reset; the agent's next rounds complete the change. Then the vault has that one
 * key and no byte of any other, the PIN can be reset by it, and the two records agree.
 */
export async function changeCompletes(tapped: TappedSystem, card: RotatingCard, changeId: string): Promise<void> {
  const { system } = tapped;
  await tapped.ready();
  await card.reset();
  const rounds: string[] = [];
  const changed = await until({ what: 'the change to be confirmed', seconds: 60 }, async () => {
    const ran = await card.round();
    expect(refusalOf(ran), ran.stderr).toBeNull();
    rounds.push(ran.stdout);
    await reportedLongAgo(tapped);
    const { body } = await system.as('security-officer').get(`/administrator-key-changes/${changeId}`);
    return body.state === 'confirmed' ? body : null;
  }).catch((cause) => {
    throw new Error(`the change was not confirmed: ${rounds.at(0)} ... ${rounds.at(-1)}`, { cause });
  });
  const keys = await system.query(
    'select key_version, state, sealed is null as forgotten from vault.administrator_keys where card_id = $1',
    [card.cardId],
  );
  for (const { key_version, state, forgotten } of keys) {
    const kept = key_version === changed.toVersion;
    expect({ key_version, state, forgotten }).toMatchObject(
      kept ? { state: 'confirmed', forgotten: false } : { forgotten: true },
    );
  }
  const { body } = await system.as('helpdesk').get(`/cards/${card.cardId}`);
  expect(body).toMatchObject({ state: 'active', keyVersion: changed.toVersion });
  await card.reset();
  await bothRecordsAgree(system);
}

/** Has the worker go on now with what was cut off, and not when a request that is still at it would have had its time. */
export async function reportedLongAgo({ system }: TappedSystem): Promise<void> {
  await system.query(
    `update key_changes set reported_at = reported_at - interval '1 minute'
      where state in ('offered', 'failed') and reported_at < now() - interval '1 second'`,
  );
}
