import type { Intent } from '../kernel/actor.ts';
import { queueTask, type TaskRecords } from '../tasks/index.ts';
import { DAY_MS, keyFor, renewableFrom } from './policy.ts';
import type { EndingCertificate, RenewalPorts } from './ports.ts';
import { dueReminder, waitsForPin } from './reminder.ts';
import { type EffectivePolicy, policyOf } from './renewable.ts';

export interface QueueRenewalsPorts
  extends Pick<
    RenewalPorts,
    'renewals' | 'certificateProfiles' | 'enrolments' | 'cards' | 'unitOfWork' | 'audit' | 'runtime'
  > {
  readonly tasks: TaskRecords;
}

/** Certificates that were issued on one day come of age on one day: their devices are not all asked at once. */
const AT_ONCE = 20;
/** Looked at in one round. */
const PAGE = 500;
/** A device that was not heard of since could not do it, and may not be there any more. */
const SEEN_DAYS = 7;
const RETRY_DAYS = 1;
/** Between two walks through what ends soon; and walking takes at most a tenth of the time. */
const LEAST_REST_MS = 2_000;
const REST_FACTOR = 9;

/**
 * For the worker, round by round: walks through the certificates that end soon and has devices renew what is due. Whoever
 * has to be there with the PIN is reminded instead. Where it was is forgotten with the process: what was queued is not
 * queued again.
 */
export function createRenewalQueue(ports: QueueRenewalsPorts): (now: Date) => Promise<number> {
  let after: string | null = null;
  let walkedMs = 0;
  let restUntil = new Date(0);

  return async function queueDue(now) {
    if (now < restUntil) return 0;
    const ago = (days: number) => new Date(now.getTime() - days * DAY_MS);
    const window = { now, seenSince: ago(SEEN_DAYS), retryAfter: ago(RETRY_DAYS) };
    const page = await ports.renewals.endingSoon(window, after, PAGE);
    const policies = new Map<string, Promise<EffectivePolicy | null>>();
    let queued = 0;
    for (const certificate of page) {
      if (queued === AT_ONCE) return queued;
      if (await queueOne(ports, certificate, await policyFor(ports, policies, certificate), now)) queued += 1;
      after = certificate.key;
    }
    const finished = ports.runtime.now();
    walkedMs += finished.getTime() - now.getTime();
    if (page.length < PAGE) {
      restUntil = new Date(finished.getTime() + Math.max(LEAST_REST_MS, REST_FACTOR * walkedMs));
      [after, walkedMs] = [null, 0];
    }
    return queued;
  };
}

/** Null where its profile has no such container any more: it can't be renewed. */
function policyFor(
  ports: QueueRenewalsPorts,
  known: Map<string, Promise<EffectivePolicy | null>>,
  { profileName, container }: EndingCertificate,
): Promise<EffectivePolicy | null> {
  const key = `${profileName}/${container}`;
  const policy = known.get(key) ?? policyOf(ports, { profileName }, container).catch(() => null);
  known.set(key, policy);
  return policy;
}

async function queueOne(
  ports: QueueRenewalsPorts,
  certificate: EndingCertificate,
  policy: EffectivePolicy | null,
  now: Date,
): Promise<boolean> {
  const { id: certificateId, cardId, deviceId, container, requestedAt } = certificate;
  if (policy === null || !certificate.able || now < renewableFrom(certificate, policy, requestedAt)) return false;
  const isReminder = keyFor(policy, certificate, now) === 'new';
  const days = isReminder ? dueReminder(certificate.notAfter, now) : null;
  if (isReminder ? days === null || certificate.reminded.includes(days) : certificate.asked) return false;
  const intent: Intent = {
    actor: { kind: 'system', id: 'worker', name: 'worker' },
    requestId: ports.runtime.newId(),
    reason: isReminder ? 'a renewal waits for the PIN of the card' : 'the certificate is to be renewed',
  };
  return ports.unitOfWork.run(async (tx) => {
    const card = await ports.cards.lock(tx, cardId);
    if (card === null || (card.state !== 'active' && card.state !== 'blocked')) return false;
    if (days === null) {
      const open = await ports.tasks.lockOpenOfCard(tx, cardId);
      if (open.some(({ work }) => work.kind === 'renew')) return false;
      await queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 'renew' } });
      return true;
    }
    if ((await ports.renewals.reminderTask(tx, certificateId, days)) !== null) return false;
    const text = waitsForPin(certificate.serial, container, certificate.notAfter);
    const taskId = await queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 'message', text } });
    await ports.renewals.reminded(tx, { certificateId, days, taskId, at: now });
    return true;
  });
}
