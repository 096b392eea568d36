import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { codeHash, DEFAULT_VALIDITY_SECONDS, makeCode, showCode } from './code.ts';
import type { OpenEnrolment } from './enrolment.ts';
import type { Enrolments } from './ports.ts';

export interface CreateEnrolmentDependencies {
  readonly enrolments: Enrolments;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export interface CreateEnrolmentInput {
  readonly personId: string;
  readonly cardProfile: string;
  readonly validForSeconds?: number | undefined;
}

/**
 * Makes an enrolment and its code. The code is in the answer and nowhere else: what is stored can't be turned back.
 * @throws DomainError (unprocessable) `person-unknown`, `card-profile-unknown`.
 */
export async function createEnrolment(
  deps: CreateEnrolmentDependencies,
  intent: Intent,
  input: CreateEnrolmentInput,
): Promise<{ readonly enrolment: OpenEnrolment; readonly code: string }> {
  const { enrolments, unitOfWork } = deps;
  if (!(await enrolments.personExists(input.personId))) throw unknown('person-unknown', '/personId', 'person');
  if ((await enrolments.profile(input.cardProfile)) === null) {
    throw unknown('card-profile-unknown', '/cardProfile', 'card profile');
  }
  return unitOfWork.run((tx) => addEnrolment(deps, tx, intent, { ...input, replacesCardId: null }));
}

/** The same in the caller's transaction, for a person and a profile that there are. */
export async function addEnrolment(
  deps: Omit<CreateEnrolmentDependencies, 'unitOfWork'>,
  tx: Tx,
  intent: Intent,
  input: CreateEnrolmentInput & { readonly replacesCardId: string | null },
): Promise<{ readonly enrolment: OpenEnrolment; readonly code: string }> {
  const { enrolments, audit, runtime } = deps;
  const { replacesCardId } = input;
  const code = makeCode(runtime.randomBytes);
  const createdAt = runtime.now();
  const expiresAt = new Date(createdAt.getTime() + (input.validForSeconds ?? DEFAULT_VALIDITY_SECONDS) * 1000);
  const made = {
    id: runtime.newId(),
    personId: input.personId,
    profileName: input.cardProfile,
    replacesCardId,
    expiresAt,
    createdAt,
    createdBy: { id: intent.actor.id, name: intent.actor.name },
  };
  await enrolments.insert(tx, { ...made, codeHash: codeHash(code) });
  await audit.record(tx, intent, {
    action: 'enrolment.created',
    object: { kind: 'enrolment', id: made.id },
    about: { personId: made.personId, enrolmentId: made.id },
    after: {
      cardProfile: made.profileName,
      expiresAt: expiresAt.toISOString(),
      ...(replacesCardId === null ? {} : { replacesCardId }),
    },
  });
  return { enrolment: { ...made, state: 'open' }, code: showCode(code) };
}

function unknown(code: string, pointer: string, what: string): DomainError {
  const detail = `There is no such ${what}.`;
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer, detail }] });
}
