import type { Card } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Enrolments } from './ports.ts';

/** What a check-in does when a device says that a card's holder has set a PIN of their own. Said again it does nothing. */
export function createHandOvers({
  enrolments,
  audit,
}: {
  readonly enrolments: Enrolments;
  readonly audit: AuditTrail;
}) {
  return async function noteHandedOver(tx: Tx, intent: Intent, card: Card): Promise<void> {
    if (!(await enrolments.setHandedOver(tx, card.id))) return;
    await audit.record(tx, intent, {
      action: 'card.handed-over',
      object: { kind: 'card', id: card.id },
      about: { personId: card.personId, deviceId: card.deviceId, cardId: card.id },
      before: { initialPin: 'pending' },
      after: { initialPin: 'set' },
    });
  };
}
