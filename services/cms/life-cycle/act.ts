import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { type CardAct, type CardState, type ReissueState, stateAfter, whyNoReissue } from '../cards/index.ts';
import type { RevocationReason } from '../revocation/index.ts';

/** What happens to a computer or its holder, and all that follows from it. What happens to a CA is another matter. */
export const LIFE_CYCLE_ACTS = [
  'device-lost',
  'device-stolen',
  'person-left',
  'device-handed-over',
  'system-reinstalled',
] as const;
export type LifeCycleAct = (typeof LIFE_CYCLE_ACTS)[number];
export type SubjectKind = 'card' | 'device' | 'person';
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

interface Rule {
  readonly subjects: readonly SubjectKind[];
  readonly card: Extract<CardAct, 'lose' | 'compromise' | 'retire'>;
  readonly reason: RevocationReason;
  /** Whether another card is to take the place: always, never, or as is asked, and if nothing is asked. */
  readonly reissue: 'always' | 'never' | 'asked' | 'unless-asked-not-to';
}

/**
 * A lost computer's keys stay behind the PIN and the TPM's few tries, so they are not said to be compromised; one that was
 * stolen with its PIN known is another matter: nothing but another card helps, and a new PIN for this one never does.
 */
const RULES: Readonly<Record<LifeCycleAct, Rule>> = {
  'device-lost': {
    subjects: ['card', 'device'],
    card: 'lose',
    reason: 'cessationOfOperation',
    reissue: 'unless-asked-not-to',
  },
  'device-stolen': {
    subjects: ['card', 'device'],
    card: 'compromise',
    reason: 'keyCompromise',
    reissue: 'unless-asked-not-to',
  },
  'person-left': { subjects: ['person'], card: 'retire', reason: 'affiliationChanged', reissue: 'never' },
  'device-handed-over': { subjects: ['device'], card: 'retire', reason: 'cessationOfOperation', reissue: 'asked' },
  'system-reinstalled': { subjects: ['card', 'device'], card: 'retire', reason: 'superseded', reissue: 'always' },
};

export interface Order {
  readonly act: LifeCycleAct;
  readonly subject: Subject;
  readonly reissue?: boolean | undefined;
  /** Of a computer that is handed over: to whom, who is to get a card on it. Theirs stay as they are. */
  readonly newPersonId?: string | undefined;
}

export interface CardFacts {
  readonly id: string;
  readonly serial: string;
  readonly kind: 'tpm' | 'minidriver';
  readonly state: CardState;
  readonly personId: string;
  readonly deviceId: string | null;
  readonly profileName: string | null;
  readonly reissue: ReissueState;
  /** Those that count or may still come to, and are not to be revoked yet. */
  readonly certificates: readonly { readonly id: string; readonly serialNumber: string | null }[];
  /** Unblock sessions that wait for somebody, or whose response waits for the device. */
  readonly sessions: readonly { readonly id: string; readonly state: 'requested' | 'open' | 'answered' }[];
  readonly tasks: readonly { readonly id: string; readonly kind: string }[];
  readonly keyChangeId: string | null;
}
export interface EnrolmentFacts {
  readonly id: string;
  readonly personId: string;
  /** Of one that a device claimed: the card that is being made. */
  readonly cardId: string | null;
}
export interface Facts {
  readonly cards: readonly CardFacts[];
  /** Open or claimed: of the person, or claimed for the card or by the device. */
  readonly enrolments: readonly EnrolmentFacts[];
}

/** All that an act does, and what it does not do and why. */
export interface Plan {
  readonly act: LifeCycleAct;
  readonly subject: Subject;
  readonly cards: readonly { cardId: string; serial: string; personId: string; from: CardState; to: CardState }[];
  readonly certificates: readonly {
    id: string;
    serialNumber: string | null;
    cardId: string;
    reason: RevocationReason;
  }[];
  readonly sessionsEnded: readonly { id: string; cardId: string; state: string }[];
  readonly keyChangesCancelled: readonly { id: string; cardId: string }[];
  readonly tasksCancelled: readonly { id: string; kind: string; cardId: string }[];
  readonly tasksQueued: readonly { kind: 'destroy'; cardId: string; deviceId: string }[];
  readonly enrolmentsCancelled: readonly { id: string; personId: string; cardId: string | null }[];
  readonly enrolmentsMade: readonly { personId: string; cardProfile: string; replacesCardId: string | null }[];
  readonly notDone: readonly { cardId: string; serial: string; code: string; why: string }[];
}

export const actsOn = (kind: SubjectKind): readonly LifeCycleAct[] =>
  LIFE_CYCLE_ACTS.filter((act) => RULES[act].subjects.includes(kind));
export const cardActOf = (act: LifeCycleAct) => RULES[act].card;
export const reasonOf = (act: LifeCycleAct) => RULES[act].reason;

/** @throws DomainError (unprocessable) `act-not-for-subject`, `reissue-not-for-act`, `new-person-not-for-act`. */
export function demandOrder({ act, subject, reissue, newPersonId }: Order): void {
  const rule = RULES[act];
  if (!rule.subjects.includes(subject.kind)) {
    throw refused('act-not-for-subject', '/act', `${act} is about a ${rule.subjects.join(' or a ')}.`);
  }
  if ((rule.reissue === 'never' && reissue === true) || (rule.reissue === 'always' && reissue === false)) {
    throw refused('reissue-not-for-act', '/reissue', `With ${act} a card is ${rule.reissue} reissued.`);
  }
  if (newPersonId !== undefined && act !== 'device-handed-over') {
    throw refused('new-person-not-for-act', '/newPersonId', 'Only of a computer that is handed over.');
  }
}

/** Pure: the same facts give the same plan, in the same order. */
export function planAct(order: Order, facts: Facts): Plan {
  const { act, subject, newPersonId } = order;
  const { card: cardAct, reason, reissue: rule } = RULES[act];
  const reissue =
    rule === 'always' || (rule === 'unless-asked-not-to' ? order.reissue !== false : order.reissue === true);
  const enrolments = facts.enrolments.filter(({ personId }) => personId !== newPersonId);
  const unfinished = new Set(enrolments.flatMap(({ cardId }) => cardId ?? []));
  const about = facts.cards.filter(({ personId }) => personId !== newPersonId);
  const moves = about.flatMap((card) => {
    const to = stateAfter(card.state, unfinished.has(card.id) ? 'retire' : cardAct);
    return to === null ? [] : [{ card, to }];
  });
  const moved = moves.map(({ card }) => card);
  // One that is out of use already is of no interest, but where it is all that was asked about.
  const still = about.filter((card) => !moved.includes(card) && (subject.kind === 'card' || !isOver(card.state)));
  const wanted = reissue ? about.filter((card) => !unfinished.has(card.id) && !isGone(card, moved, subject)) : [];
  const refusals = wanted.map((card) => ({ card, refusal: whyNoReissue(card) }));
  const handedOn = newPersonId === undefined ? undefined : about.find(({ profileName }) => profileName !== null);
  return {
    act,
    subject,
    cards: moves.map(({ card: { id, serial, personId, state }, to }) => ({
      cardId: id,
      serial,
      personId,
      from: state,
      to,
    })),
    certificates: about.flatMap(({ id: cardId, certificates }) =>
      certificates.map((one) => ({
        ...one,
        cardId,
        reason: unfinished.has(cardId) ? ('cessationOfOperation' as const) : reason,
      })),
    ),
    sessionsEnded: moved.flatMap(({ id: cardId, sessions }) => sessions.map((one) => ({ ...one, cardId }))),
    keyChangesCancelled: moved.flatMap(({ id: cardId, keyChangeId }) =>
      keyChangeId === null ? [] : [{ id: keyChangeId, cardId }],
    ),
    tasksCancelled: moved.flatMap(({ id: cardId, tasks }) =>
      tasks.filter(({ kind }) => kind !== 'destroy' && kind !== 'retire').map((one) => ({ ...one, cardId })),
    ),
    tasksQueued: moved.flatMap(({ id: cardId, kind, deviceId, tasks }) =>
      kind === 'tpm' && deviceId !== null && !tasks.some((one) => one.kind === 'destroy')
        ? [{ kind: 'destroy' as const, cardId, deviceId }]
        : [],
    ),
    enrolmentsCancelled: enrolments.map(({ id, personId, cardId }) => ({ id, personId, cardId })),
    enrolmentsMade: [
      ...refusals.flatMap(({ card: { id, personId, profileName }, refusal }) =>
        refusal === null && profileName !== null ? [{ personId, cardProfile: profileName, replacesCardId: id }] : [],
      ),
      ...(newPersonId === undefined || handedOn?.profileName == null
        ? []
        : [{ personId: newPersonId, cardProfile: handedOn.profileName, replacesCardId: null }]),
    ],
    notDone: [
      ...still.map(({ id, serial, state }) => ({
        ...{ cardId: id, serial, code: `card-${state}` },
        why: `The card is ${state}, and stays so.`,
      })),
      ...refusals.flatMap(({ card: { id, serial }, refusal }) =>
        refusal === null ? [] : [{ cardId: id, serial, code: refusal.code, why: refusal.why }],
      ),
    ],
  };
}

const isOver = (state: CardState): boolean => state === 'retired' || state === 'destroyed';

/** Cards that were given up before this act are not made anew with it, but where the act is about one alone. */
const isGone = (card: CardFacts, moved: readonly CardFacts[], subject: Subject): boolean =>
  subject.kind !== 'card' && !moved.includes(card);

export const doesNothing = (plan: Plan): boolean =>
  [plan.cards, plan.certificates, plan.sessionsEnded, plan.enrolmentsCancelled, plan.enrolmentsMade].every(
    (part) => part.length === 0,
  );

/** Of what was shown: what is done later must be the same. */
export function previewToken(plan: Plan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('base64url');
}

/** @throws DomainError `preview-stale` (conflict), with the plan as it is now; `nothing-to-do` (conflict). */
export function demandSame(plan: Plan, token: string): void {
  if (previewToken(plan) !== token) {
    const detail = 'Something changed since this was looked at. Look at what would be done now, and send its token.';
    const data = { preview: { plan: { ...plan }, previewToken: previewToken(plan) } };
    throw new DomainError('conflict', 'preview-stale', detail, { data });
  }
  if (doesNothing(plan)) {
    throw new DomainError('conflict', 'nothing-to-do', 'There is nothing that this act would change.');
  }
}

function refused(code: string, pointer: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer, detail }] });
}
