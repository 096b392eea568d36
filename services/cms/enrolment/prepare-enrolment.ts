import { DomainError } from '@cardwright/protocol';
import { HAND_OVER_SALT_BYTES, handOverKey, makeHandOverCode, showHandOverCode } from '@cardwright/protocol/enrolment';
import type { EnrolmentMethod, InitialPin } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { chooseMethod, demandNotOneself, demandVerification, type Verification } from './method.ts';
import type { Enrolments } from './ports.ts';

export interface WantedEnrolment {
  readonly personId: string;
  readonly cardProfile: string;
  /** The profile's first, if it is not said. */
  readonly method?: EnrolmentMethod | undefined;
  readonly verification?: Verification | undefined;
  readonly validForSeconds?: number | undefined;
}

/** An enrolment that may be made, with what takes too long for a transaction. */
export interface PreparedEnrolment {
  readonly personId: string;
  readonly cardProfile: string;
  readonly method: EnrolmentMethod;
  readonly initialPin: InitialPin;
  readonly verification: Verification | null;
  readonly validForSeconds: number | undefined;
  /** Of a PIN that is handed over; the code is in the answer and nowhere else. */
  readonly handOver: HandOver | null;
}

export interface HandOver {
  readonly code: string;
  readonly publicKey: Uint8Array;
  readonly salt: Uint8Array;
}

/**
 * @throws DomainError (unprocessable) `person-unknown`, `card-profile-unknown`, `enrolment-method-not-allowed`,
 *   `verification-required`, `verification-not-for-method`; `vouching-for-oneself` (forbidden).
 */
export async function prepareEnrolment(
  { enrolments, runtime }: { readonly enrolments: Enrolments; readonly runtime: Runtime },
  { actor }: Intent,
  wanted: WantedEnrolment,
): Promise<PreparedEnrolment> {
  const { personId, cardProfile, verification, validForSeconds } = wanted;
  const person = await enrolments.person(personId);
  if (person === null) throw unknown('person-unknown', '/personId', 'person');
  const profile = await enrolments.profile(cardProfile);
  if (profile === null) throw unknown('card-profile-unknown', '/cardProfile', 'card profile');
  const method = chooseMethod(profile, wanted.method);
  const { initialPin } = profile;
  demandVerification(method, initialPin, verification);
  if (verification !== undefined) demandNotOneself(actor.name, person);
  const handOver = initialPin === 'handed-over' ? await makeHandOver(runtime) : null;
  return { personId, cardProfile, method, initialPin, verification: verification ?? null, validForSeconds, handOver };
}

/** What is kept of the code is the public half of the key pair that follows from it. */
async function makeHandOver(runtime: Runtime): Promise<HandOver> {
  const code = makeHandOverCode((length) => runtime.randomBytes(length));
  const salt = runtime.randomBytes(HAND_OVER_SALT_BYTES);
  const { publicKey } = await handOverKey(code, salt);
  return { code: showHandOverCode(code), publicKey, salt };
}

function unknown(code: string, pointer: string, what: string): DomainError {
  const detail = `There is no such ${what}.`;
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer, detail }] });
}
