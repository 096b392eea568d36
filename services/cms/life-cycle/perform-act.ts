import { DomainError } from '@cardwright/protocol';
import { type MoveCardPorts, moveCard } from '../cards/index.ts';
import {
  addEnrolment,
  type CreateEnrolmentDependencies,
  type MadeEnrolment,
  type PreparedEnrolment,
  prepareEnrolment,
  undoEnrolment,
  type WantedEnrolment,
} from '../enrolment/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RevocationService } from '../revocation/index.ts';
import type { UnblockSessions } from '../unblock/index.ts';
import { cardActOf, demandOrder, demandSame, type Order, type Plan, planAct, reasonOf } from './act.ts';
import type { LifeCycleFacts } from './ports.ts';

export interface LifeCyclePorts extends MoveCardPorts, CreateEnrolmentDependencies {
  readonly lifeCycle: LifeCycleFacts;
  readonly sessions: Pick<UnblockSessions, 'lock' | 'change'>;
  readonly revocations: RevocationService;
}

/** @throws DomainError `not-found`; those of {@link demandOrder}. */
export async function previewAct(ports: LifeCyclePorts, order: Order): Promise<Plan> {
  demandOrder(order);
  const facts = await ports.lifeCycle.read(order.subject, ports.runtime.now());
  if (facts === null) throw subjectUnknown(order);
  return planAct(order, facts);
}

/** How the codes are made that an act gives. */
export type Codes = Pick<WantedEnrolment, 'method' | 'verification'>;

/** The same as {@link previewAct}, with the refusals of an enrolment that the act would make. */
export async function previewWithCodes(ports: LifeCyclePorts, intent: Intent, order: Order, codes: Codes) {
  const plan = await previewAct(ports, order);
  await prepareCodes(ports, intent, plan, codes);
  return plan;
}

export interface Performed {
  readonly plan: Plan;
  readonly made: readonly MadeEnrolment[];
}

/**
 * Does what was shown, in one transaction, and tells the CA after it: what the CA can't be told now the worker tells it.
 * All audit events carry the request id of the first, which says what was done and why.
 * @throws DomainError as {@link previewAct}; `preview-stale`, `nothing-to-do` (conflict); those of an enrolment.
 */
export async function performAct(
  ports: LifeCyclePorts,
  intent: Intent,
  order: Order,
  codes: Codes,
  token: string,
): Promise<Performed> {
  const shown = await previewAct(ports, order);
  demandSame(shown, token);
  // Takes too long for a transaction: done for what was shown, which is what is done.
  const prepared = await prepareCodes(ports, intent, shown, codes);
  const { plan, made, revoked } = await ports.unitOfWork.run(async (tx) => {
    const facts = await ports.lifeCycle.lock(tx, order.subject, ports.runtime.now());
    if (facts === null) throw subjectUnknown(order);
    const now = planAct(order, facts);
    demandSame(now, token);
    return { plan: now, ...(await carryOut(ports, tx, intent, now, prepared)) };
  });
  await ports.revocations.confirmAll(intent, revoked);
  return { plan, made };
}

type Prepared = PreparedEnrolment & { readonly replacesCardId: string | null };

async function prepareCodes(
  ports: LifeCyclePorts,
  intent: Intent,
  { enrolmentsMade }: Plan,
  { method, verification }: Codes,
): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const { replacesCardId, ...wanted } of enrolmentsMade) {
    const enrolment = await prepareEnrolment(ports, intent, { ...wanted, method, verification });
    prepared.push({ ...enrolment, replacesCardId });
  }
  return prepared;
}

async function carryOut(ports: LifeCyclePorts, tx: Tx, intent: Intent, plan: Plan, prepared: readonly Prepared[]) {
  const { subject } = plan;
  await ports.audit.record(tx, intent, {
    action: `life-cycle.${plan.act}`,
    object: subject,
    about: {
      personId: subject.kind === 'person' ? subject.id : null,
      deviceId: subject.kind === 'device' ? subject.id : null,
      cardId: subject.kind === 'card' ? subject.id : null,
    },
    after: summaryOf(plan),
  });
  const revoked: string[] = [];
  const comment = intent.reason ?? plan.act;
  for (const { id } of plan.enrolmentsCancelled) {
    const enrolment = await ports.enrolments.lock(tx, id);
    if (enrolment !== null) revoked.push(...(await undoEnrolment(ports, tx, intent, enrolment, comment)));
  }
  const undone = new Set(plan.enrolmentsCancelled.map(({ cardId }) => cardId));
  for (const { cardId } of plan.cards) {
    if (!undone.has(cardId)) await moveCard(ports, tx, intent, { cardId, act: cardActOf(plan.act) });
  }
  for (const cardId of new Set(plan.certificates.map((one) => one.cardId))) {
    const why = { reason: reasonOf(plan.act), comment };
    if (!undone.has(cardId)) revoked.push(...(await ports.revocations.proposeForCard(tx, intent, cardId, why)));
  }
  for (const { id, cardId } of plan.sessionsEnded) await endSession(ports, tx, intent, id, cardId);
  const made: MadeEnrolment[] = [];
  for (const enrolment of prepared) {
    const one = await addEnrolment(ports, tx, intent, enrolment);
    made.push(one);
    if (enrolment.replacesCardId === null) continue;
    await ports.audit.record(tx, intent, {
      action: 'card.reissue-requested',
      object: { kind: 'card', id: enrolment.replacesCardId },
      about: { personId: enrolment.personId, cardId: enrolment.replacesCardId, enrolmentId: one.enrolment.id },
      after: { oldCard: 'retire-now', revocationReason: reasonOf(plan.act) },
    });
  }
  return { made, revoked };
}

/** Nobody answers a challenge of this card any more, and a response that waits for the device is forgotten. */
async function endSession(ports: LifeCyclePorts, tx: Tx, intent: Intent, id: string, cardId: string): Promise<void> {
  const session = await ports.sessions.lock(tx, id);
  if (session === null) return;
  const waits = session.state === 'requested' || session.state === 'open';
  const state = waits ? 'refused' : session.state;
  await ports.sessions.change(tx, id, {
    state,
    dropResponse: true,
    ...(waits ? { closedAt: ports.runtime.now() } : {}),
  });
  await ports.audit.record(tx, intent, {
    action: waits ? 'unblock.refused' : 'unblock.response-withdrawn',
    object: { kind: 'unblock-session', id },
    about: { cardId, unblockSessionId: id },
    before: { state: session.state },
    after: { state },
  });
}

function summaryOf(plan: Plan) {
  return {
    cards: plan.cards.map(({ serial, from, to }) => ({ serial, from, to })),
    certificates: plan.certificates.length,
    sessionsEnded: plan.sessionsEnded.length,
    tasksQueued: plan.tasksQueued.length,
    enrolmentsCancelled: plan.enrolmentsCancelled.length,
    enrolmentsMade: plan.enrolmentsMade.length,
  };
}

function subjectUnknown({ subject }: Order): DomainError {
  return new DomainError('not-found', 'not-found', `There is no such ${subject.kind}.`);
}
