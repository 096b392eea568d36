import { DomainError, type Secret } from '@cardwright/protocol';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditTrail, RefusalTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { Operator, OperatorRecords, PasswordHash } from './ports.ts';
import type { SignInThrottle } from './throttle.ts';

export const SESSION_SECONDS = 8 * 60 * 60;

export interface SignInPorts {
  readonly operators: OperatorRecords;
  readonly passwords: PasswordHash;
  readonly throttle: SignInThrottle;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly refusals: RefusalTrail;
  readonly runtime: Runtime;
}

export interface SignInInput {
  readonly userName: string;
  readonly password: Secret;
  /** Where from: failures are counted by name and address. */
  readonly address: string;
  /** SHA-256 of the new session's token; the token itself goes to the browser only. */
  readonly tokenHash: Uint8Array;
  readonly requestId: string;
}

export interface OpenedSession {
  readonly operator: Operator;
  readonly expiresAt: Date;
}

const failed = () =>
  new DomainError('unauthenticated', 'sign-in-failed', 'The user name or the password is not right.');

/**
 * @throws DomainError `sign-in-failed` for an unknown name and for a wrong password alike, after the same work;
 *   `sign-in-throttled`.
 */
export function createSignIn(ports: SignInPorts) {
  const { operators, passwords, throttle, runtime } = ports;

  return async function signIn(input: SignInInput): Promise<OpenedSession> {
    const key = `${input.userName.toLowerCase()} ${input.address}`;
    throttle.demand(key, runtime.now());
    // Counted before the work, or many tries at once would all pass before the first one fails.
    throttle.failed(key, runtime.now());
    const decoy = await passwords.decoy();
    const found = await operators.findForSignIn(input.userName);
    const right = await passwords.verify(found?.passwordHash ?? decoy, input.password);
    if (found === null || found.passwordHash === null || !right) {
      await recordFailure(found, input);
      throw failed();
    }
    throttle.succeeded(key);
    return open(found, input);
  };

  async function open(found: Operator, input: SignInInput): Promise<OpenedSession> {
    const now = runtime.now();
    const operator = { id: found.id, name: found.name, displayName: found.displayName, role: found.role };
    const expiresAt = new Date(now.getTime() + SESSION_SECONDS * 1000);
    const intent: Intent = { actor: { kind: 'operator', ...operator }, requestId: input.requestId };
    await ports.unitOfWork.run(async (tx) => {
      await operators.openSession(tx, {
        tokenHash: input.tokenHash,
        operatorId: operator.id,
        createdAt: now,
        expiresAt,
      });
      await ports.audit.record(tx, intent, { action: 'session.opened', object: { kind: 'operator', id: operator.id } });
    });
    return { operator, expiresAt };
  }

  /** The name is kept only when an operator has it: people type passwords into the wrong field. */
  async function recordFailure(found: Operator | null, input: SignInInput): Promise<void> {
    const actor: Actor = { kind: 'anonymous', id: 'anonymous', name: found?.name ?? 'unknown' };
    const object = { kind: 'operator', id: found?.id ?? null };
    await ports.refusals.refused(
      { actor, requestId: input.requestId },
      { action: 'session.opened', object },
      'sign-in-failed',
    );
  }
}
