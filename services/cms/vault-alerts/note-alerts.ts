import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { NotedAlerts, VaultAlertSource } from './ports.ts';

export const ALERT_ACTION = 'vault.alert';

export interface NoteAlertsDependencies {
  readonly source: VaultAlertSource;
  readonly noted: NotedAlerts;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

const AT_ONCE = 200;

/**
 * For the worker: each alert of the vault becomes one event of the audit log, where operators see it. The log itself says
 * how far that has come, so nothing is noted twice (one worker at a time does this) and nothing is left out by a crash.
 * @returns how many were noted.
 */
export async function noteAlerts(deps: NoteAlertsDependencies): Promise<number> {
  const { source, noted, unitOfWork, audit, runtime } = deps;
  const alerts = await source.after(await noted.last(), AT_ONCE);
  if (alerts.length === 0) return 0;
  const intent = { actor: { kind: 'system', id: 'worker', name: 'worker' }, requestId: runtime.newId() } as const;
  await unitOfWork.run(async (tx) => {
    for (const { id, code, at, operation, cardId, keyVersion, requestedBy, requestId } of alerts) {
      await audit.record(tx, intent, {
        action: ALERT_ACTION,
        object: { kind: 'vault-alert', id },
        about: { cardId },
        after: { code, at, operation, keyVersion, requestedBy, requestId },
      });
    }
  });
  return alerts.length;
}
