import { DomainError } from '@cardwright/protocol';
import type { AuthorityName } from '../authorities/authority.ts';
import { serialFromText } from '../x509/serial-number.ts';
import { crlEntry } from './entry.ts';
import type { RevocationReason } from './reasons.ts';
import { judgeRelease, judgeRevocation, type Outcome, type StatusChange } from './status.ts';

export interface IssuedSubject {
  readonly issuer: AuthorityName;
  readonly notBefore: Date;
  /** The last change of its status; null: none ever. */
  readonly last: StatusChange | null;
}

export interface StatusChangeStore {
  /**
   * Gives `judge` the certificate while no other change of its status can be recorded, and records what it says to;
   * durable when it returns. @returns null when no such certificate was issued.
   */
  change<Change extends StatusChange>(
    serialNumber: Buffer,
    judge: (subject: IssuedSubject) => Outcome<Change>,
    entryOf: (change: Change) => Buffer,
  ): Promise<{ readonly issuer: AuthorityName; readonly change: Change } | null>;
}

export interface StatusPorts {
  readonly store: StatusChangeStore;
  readonly now: () => Date;
  /** Told after the change is durable. It must not fail the change when a CRL can't be made at once. */
  readonly recorded: (issuer: AuthorityName, serialNumber: Buffer) => Promise<void>;
}

export interface RevokeRequest {
  /** 32 lower-case hexadecimal digits. */
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  readonly revokedAt: Date;
  readonly invalidityDate: Date | null;
}

const CLOCK_SKEW_MS = 300_000;

/**
 * Revokes or puts on hold. A repeat, and what comes after a final reason whatever it says, is answered with what stands.
 * @throws DomainError `certificate-unknown` (not-found), `revoked-at-not-possible`, `invalidity-date-not-possible`
 * (unprocessable), `ca-database-unavailable` (unavailable)
 */
export async function revoke(ports: StatusPorts, request: RevokeRequest) {
  const serialNumber = serialOf(request.serialNumber);
  const { reason, revokedAt: at } = request;
  // CRLs and OCSP know whole seconds; what is said of it later must be what is said now.
  const invalidityDate = request.invalidityDate === null ? null : wholeSecond(request.invalidityDate);
  const done = await ports.store.change(
    serialNumber,
    ({ notBefore, last }) =>
      judgeRevocation(last, { reason, at, invalidityDate }, { notBefore, latest: latest(ports) }),
    (change) => crlEntry({ ...change, serialNumber }),
  );
  if (done === null) throw unknown();
  await ports.recorded(done.issuer, serialNumber);
  return { ...done.change, serialNumber, at: wholeSecond(done.change.at) };
}

/**
 * Ends a hold. The same release again is answered as before.
 * @throws DomainError `certificate-unknown` (not-found), `certificate-not-on-hold` (conflict),
 * `released-at-not-possible` (unprocessable), `ca-database-unavailable` (unavailable)
 */
export async function release(
  ports: StatusPorts,
  request: { readonly serialNumber: string; readonly releasedAt: Date },
): Promise<{ readonly serialNumber: Buffer; readonly releasedAt: Date }> {
  const serialNumber = serialOf(request.serialNumber);
  const done = await ports.store.change(
    serialNumber,
    ({ last }) => judgeRelease(last, request.releasedAt, latest(ports)),
    ({ at }) => crlEntry({ serialNumber, at, reason: null, invalidityDate: null }),
  );
  if (done === null) throw unknown();
  await ports.recorded(done.issuer, serialNumber);
  return { serialNumber, releasedAt: done.change.at };
}

const latest = ({ now }: StatusPorts) => new Date(now().getTime() + CLOCK_SKEW_MS);
const wholeSecond = (date: Date) => new Date(Math.floor(date.getTime() / 1000) * 1000);

function serialOf(text: string): Buffer {
  const serialNumber = serialFromText(text);
  if (serialNumber === null) throw unknown();
  return serialNumber;
}

const unknown = () =>
  new DomainError('not-found', 'certificate-unknown', 'this CA never issued a certificate of this serial number');
