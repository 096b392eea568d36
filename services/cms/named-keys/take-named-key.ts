import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { NamedKey, NamedKeys } from './ports.ts';

export interface TakeNamedKeyPorts {
  readonly namedKeys: NamedKeys;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}

/**
 * Has the vault take in a key that several cards depend on. The intent is recorded before, the outcome after; in between
 * nothing is half done, for the same request again gives the same answer.
 * @throws DomainError those of the vault, `uniform-keys-not-allowed` among them.
 */
export async function takeNamedKey(
  { namedKeys, unitOfWork, audit }: TakeNamedKeyPorts,
  intent: Intent,
  input: Parameters<NamedKeys['take']>[0],
): Promise<NamedKey> {
  const { name, kind, algorithm } = input;
  const record = (action: string, after: Record<string, unknown>) =>
    unitOfWork.run((tx) => audit.record(tx, intent, { action, object: { kind: 'named-key', id: name }, after }));
  await record('named-key.requested', { kind, algorithm });
  const taken = await namedKeys.take(input, intent);
  await record('named-key.taken', { kind, algorithm, kcv: taken.kcv });
  return taken;
}
