import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { OperatorRecords } from './ports.ts';

export interface SignOutPorts {
  readonly operators: Pick<OperatorRecords, 'closeSession'>;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}

/** Ends the session on the server: a copy of the cookie is worth nothing afterwards. */
export function createSignOut(ports: SignOutPorts) {
  return (tokenHash: Uint8Array, intent: Intent): Promise<void> =>
    ports.unitOfWork.run(async (tx) => {
      if (!(await ports.operators.closeSession(tx, tokenHash))) return;
      await ports.audit.record(tx, intent, {
        action: 'session.closed',
        object: { kind: 'operator', id: intent.actor.id },
      });
    });
}
