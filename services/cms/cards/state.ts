import { DomainError } from '@cardwright/protocol';

export const CARD_STATES = [
  'requested',
  'created',
  'active',
  'blocked',
  'suspended',
  'retired',
  'lost',
  'compromised',
  'destroyed',
] as const;
export type CardState = (typeof CARD_STATES)[number];

/** What can happen to a card. `unblock` also covers a card that is not known to be blocked: a PIN forgotten early. */
export type CardAct = 'create' | 'activate' | 'block' | 'unblock' | 'lose' | 'compromise' | 'retire' | 'destroy';

/** The life of a card: from which states an act is possible, and where it leads. The only place that knows. */
const TRANSITIONS: Readonly<Record<CardAct, Partial<Readonly<Record<CardState, CardState>>>>> = {
  create: { requested: 'created' },
  activate: { created: 'active' },
  block: { active: 'blocked' },
  unblock: { active: 'active', blocked: 'active' },
  // Its computer is lost; or somebody else has it, and may know the PIN.
  lose: { active: 'lost', blocked: 'lost', suspended: 'lost' },
  compromise: { active: 'compromised', blocked: 'compromised', suspended: 'compromised', lost: 'compromised' },
  retire: {
    requested: 'retired',
    created: 'retired',
    active: 'retired',
    blocked: 'retired',
    suspended: 'retired',
    lost: 'retired',
    compromised: 'retired',
  },
  destroy: {
    // A device gives up an enrolment before its card was written.
    requested: 'destroyed',
    created: 'destroyed',
    active: 'destroyed',
    blocked: 'destroyed',
    suspended: 'destroyed',
    retired: 'destroyed',
    lost: 'destroyed',
    compromised: 'destroyed',
  },
};

/** Where the act leads, or null where it is not possible. */
export function stateAfter(state: CardState, act: CardAct): CardState | null {
  return TRANSITIONS[act][state] ?? null;
}

/**
 * Where the act leads.
 * @throws DomainError (conflict) `card-already-active`, `card-already-retired`, `card-destroyed`, `card-not-active`.
 */
export function demandTransition(state: CardState, act: CardAct): CardState {
  const next = stateAfter(state, act);
  if (next === null)
    throw new DomainError('conflict', refusalCode(state, act), whyNot(state, act), { data: { state } });
  return next;
}

/** For a person: why the act is not possible in this state. */
export function whyNot(state: CardState, act: CardAct): string {
  if (state === 'destroyed') return 'The card was destroyed on its device.';
  if (act === 'activate' && state === 'active') return 'The card is active already.';
  if (act === 'retire' && state === 'retired') return 'The card is retired already.';
  if (state === 'created' || state === 'requested')
    return 'The card is not finished: its enrolment has to complete first.';
  return `The card is ${state}, and must be active or blocked for this.`;
}

function refusalCode(state: CardState, act: CardAct): string {
  if (act === 'activate' && state === 'active') return 'card-already-active';
  if (act === 'retire' && state === 'retired') return 'card-already-retired';
  if (state === 'destroyed' && act !== 'unblock') return 'card-destroyed';
  return 'card-not-active';
}
