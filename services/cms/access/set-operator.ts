import { DomainError, type Secret } from '@cardwright/protocol';
import type { Intent, Role } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { Operator, OperatorAdministration, PasswordHash } from './ports.ts';

export interface SetOperatorPorts {
  readonly operators: OperatorAdministration;
  readonly passwords: PasswordHash;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export interface SetOperatorInput {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly role: Role;
  readonly password?: Secret | undefined;
  /** SHA-256 of an API token. */
  readonly tokenHash?: Uint8Array | undefined;
}

const MIN_PASSWORD_BYTES = 12;
const MAX_PASSWORD_BYTES = 256;

/**
 * Creates the operator, or changes the one of that name to what is said here. What is not said stays as it is.
 * @throws DomainError (invalid) `operator-name-invalid`, `display-name-invalid`, `password-length`.
 */
export function createSetOperator(ports: SetOperatorPorts) {
  const { operators, runtime, audit } = ports;

  return async function setOperator(input: SetOperatorInput, requestId: string): Promise<Operator> {
    if (!/^[a-z0-9][a-z0-9._@-]{0,99}$/.test(input.name)) {
      throw new DomainError(
        'invalid',
        'operator-name-invalid',
        'A name has lower-case letters, digits and . _ @ - only, up to 100.',
      );
    }
    if (input.displayName !== undefined && !/^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,200}(?<!\s)$/u.test(input.displayName)) {
      throw new DomainError(
        'invalid',
        'display-name-invalid',
        'A display name has 1 to 200 characters, none of them invisible, and no space at its ends.',
      );
    }
    const { password, tokenHash } = input;
    if (password !== undefined && (password.length < MIN_PASSWORD_BYTES || password.length > MAX_PASSWORD_BYTES)) {
      throw new DomainError(
        'invalid',
        'password-length',
        `A password has ${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes.`,
      );
    }
    // The costly part is done before the transaction.
    const passwordHash = password === undefined ? undefined : await ports.passwords.hash(password);
    const intent: Intent = { actor: { kind: 'system', id: 'operators', name: 'operators command' }, requestId };
    return ports.unitOfWork.run(async (tx) => {
      const now = runtime.now();
      const before = await operators.find(tx, input.name);
      const displayName = input.displayName ?? before?.displayName ?? input.name;
      const operator: Operator = { id: before?.id ?? runtime.newId(), name: input.name, displayName, role: input.role };
      if (before === null) await operators.create(tx, { ...operator, createdAt: now });
      else await operators.change(tx, operator);
      if (passwordHash !== undefined) await operators.setPassword(tx, operator.id, passwordHash);
      if (tokenHash !== undefined) await operators.setToken(tx, operator.id, tokenHash, now);
      await audit.record(tx, intent, {
        action: before === null ? 'operator.created' : 'operator.changed',
        object: { kind: 'operator', id: operator.id },
        ...(before === null ? {} : { before: { displayName: before.displayName, role: before.role } }),
        after: {
          name: operator.name,
          displayName,
          role: operator.role,
          passwordSet: passwordHash !== undefined,
          tokenSet: tokenHash !== undefined,
        },
      });
      return operator;
    });
  };
}
