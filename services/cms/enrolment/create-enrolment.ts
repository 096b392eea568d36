import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { codeHash, DEFAULT_VALIDITY_SECONDS, makeCode, showCode } from './code.ts';
import type { OpenEnrolment } from './enrolment.ts';
import type { Enrolments, Vouchers } from './ports.ts';
import { type PreparedEnrolment, prepareEnrolment, type WantedEnrolment } from './prepare-enrolment.ts';

export interface CreateEnrolmentDependencies {
  readonly enrolments: Enrolments;
  readonly vouchers: Vouchers;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/** What is in the answer and nowhere else: what is stored of the codes can't be turned back. */
export interface MadeEnrolment {
  readonly enrolment: OpenEnrolment;
  readonly code: string;
  /** For the person, where a first PIN is handed over. Not for whoever has the other one. */
  readonly handOverCode: string | null;
}

/** Makes an enrolment and its code. @throws DomainError as {@link prepareEnrolment}. */
export async function createEnrolment(
  deps: CreateEnrolmentDependencies,
  intent: Intent,
  input: WantedEnrolment,
): Promise<MadeEnrolment> {
  const prepared = await prepareEnrolment(deps, intent, input);
  return deps.unitOfWork.run((tx) => addEnrolment(deps, tx, intent, { ...prepared, replacesCardId: null }));
}

/** The same in the caller's transaction. */
export async function addEnrolment(
  deps: Omit<CreateEnrolmentDependencies, 'unitOfWork'>,
  tx: Tx,
  intent: Intent,
  input: PreparedEnrolment & { readonly replacesCardId: string | null },
): Promise<MadeEnrolment> {
  const { enrolments, audit, runtime } = deps;
  const { replacesCardId, method, initialPin, verification } = input;
  const code = makeCode((length) => runtime.randomBytes(length));
  const createdAt = runtime.now();
  const expiresAt = new Date(createdAt.getTime() + (input.validForSeconds ?? DEFAULT_VALIDITY_SECONDS) * 1000);
  const { publicKey, salt } = input.handOver ?? {};
  const made = {
    id: runtime.newId(),
    personId: input.personId,
    profileName: input.cardProfile,
    method,
    initialPin,
    handOver: publicKey === undefined || salt === undefined ? null : { state: 'pending' as const, publicKey, salt },
    replacesCardId,
    expiresAt,
    createdAt,
    createdBy: { id: intent.actor.id, name: intent.actor.name },
  };
  await enrolments.insert(tx, { ...made, codeHash: codeHash(code) });
  if (verification !== null) {
    await deps.vouchers.add(tx, {
      ...{ id: runtime.newId(), enrolmentId: made.id, kind: 'identity', createdAt },
      ...{ by: intent.actor, verification },
    });
  }
  await audit.record(tx, intent, {
    action: 'enrolment.created',
    object: { kind: 'enrolment', id: made.id },
    about: { personId: made.personId, enrolmentId: made.id },
    verification,
    after: {
      cardProfile: made.profileName,
      method,
      initialPin,
      expiresAt: expiresAt.toISOString(),
      ...(replacesCardId === null ? {} : { replacesCardId }),
    },
  });
  const enrolment = { ...made, state: 'open' as const, supervision: null };
  return { enrolment, code: showCode(code), handOverCode: input.handOver?.code ?? null };
}
