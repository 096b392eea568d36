import type { CardImports, ImportService } from '../card-import/index.ts';
import type { CardRecords, Registration } from '../cards/index.ts';
import { type Authorities, type CertificateRecords, EMBEDDED_AUTHORITY, type Issuance } from '../certificates/index.ts';
import type { ConnectorWork } from '../connectors/index.ts';
import type { CertificateExpiries } from '../history/index.ts';
import {
  type AgedKeysPorts,
  type ConfirmChangePorts,
  changeAgedKeys,
  completeReported,
  requestChange,
  type TakeOvers,
} from '../key-changes/index.ts';
import { type RunOperationsPorts, runOperations } from '../operations/index.ts';
import { type TellDueDependencies, tellDue } from '../revocation/index.ts';
import { answerApproved, type CardApprovals, type UnblockDependencies } from '../unblock/index.ts';
import { type NoteAlertsDependencies, noteAlerts } from '../vault-alerts/index.ts';
import type { Housekeeping, Remainder } from './sweep.ts';

export interface RemainderDependencies
  extends Pick<UnblockDependencies, 'answers' | 'vault' | 'runtime' | 'sessions' | 'completeKeyChange'>,
    Omit<AgedKeysPorts, 'cards'> {
  readonly cards: CardRecords;
  readonly keyChanges: ConfirmChangePorts;
  readonly takeOvers: TakeOvers;
  readonly registration: Registration;
  readonly imports: Pick<CardImports, 'proposedBefore'>;
  readonly importService: ImportService;
  readonly certificates: CertificateRecords;
  readonly issuance: Issuance;
  readonly authorities: Authorities;
  readonly connectorWork: ConnectorWork;
  readonly revocationWork: TellDueDependencies;
  readonly operationWork: RunOperationsPorts;
  readonly idempotencyKeys: { sweep(): Promise<number> };
  readonly cardApprovals: Pick<CardApprovals, 'dropExpired'>;
  readonly operators: { dropEndedSessions(now: Date): Promise<number> };
  readonly vaultAlerts: NoteAlertsDependencies;
  readonly expiries: Pick<CertificateExpiries, 'addUp'>;
  readonly queueRenewals: (now: Date) => Promise<number>;
}

/** A request has this long before the worker goes on with what it proposed: more than any call of ours may take. */
const GRACE_MILLIS = 15_000;
const before = (now: Date) => new Date(now.getTime() - GRACE_MILLIS);

/** Issuances before revocations: what was given up while it was being issued has to be issued before it can be revoked. */
export function remaindersOf(deps: RemainderDependencies): {
  readonly remainders: readonly Remainder[];
  readonly housekeeping: readonly Housekeeping[];
} {
  const { cards, registration, imports, importService, sessions, idempotencyKeys, operators, vaultAlerts, keyChanges } =
    deps;
  return {
    remainders: [
      {
        name: 'registration',
        due: (now, limit) => cards.registrationsBegunBefore(before(now), limit),
        complete: (intent, id) => registration.settle(intent, id),
      },
      {
        name: 'card-import',
        due: (now, limit) => imports.proposedBefore(before(now), limit),
        complete: (intent, id) => importService.resume(intent, id),
      },
      ...deps.authorities.describe().map(({ name }) => issuancesOf(deps, name)),
      ...deps.connectorWork.unwanted.map(({ authority, ...work }) => ({ name: `unwanted:${authority}`, ...work })),
      {
        name: 'take-over',
        due: (_now, limit) => deps.takeOvers.toBegin(limit),
        complete: async (intent, id) => {
          await requestChange(deps, { ...intent, reason: 'the card is taken over' }, id, 'take-over');
        },
      },
      {
        name: 'key-change',
        due: (now, limit) => keyChanges.changes.reportedBefore(before(now), limit),
        complete: (intent, id) => completeReported(keyChanges, intent, id),
      },
      {
        name: 'approved-unblock',
        due: (now, limit) => sessions.approvedUnanswered(now, before(now), limit),
        complete: (intent, id) => answerApproved(deps, intent, id),
      },
    ],
    housekeeping: [
      { name: 'operation', sweep: () => runOperations(deps.operationWork) },
      { name: 'plan', sweep: (now) => deps.operationWork.operations.expire(now) },
      { name: 'revocation', sweep: () => tellDue(deps.revocationWork) },
      { name: 'authorities', sweep: () => deps.connectorWork.probe() },
      { name: 'vault-alerts', sweep: () => noteAlerts(vaultAlerts) },
      { name: 'aged-keys', sweep: (now) => changeAgedKeys(deps, now) },
      { name: 'renewals', sweep: (now) => deps.queueRenewals(now) },
      { name: 'certificate-expiries', sweep: () => deps.expiries.addUp() },
      { name: 'uncollected-responses', sweep: (now) => sessions.dropExpiredResponses(now) },
      { name: 'unsigned-approvals', sweep: (now) => deps.cardApprovals.dropExpired(now) },
      { name: 'idempotency-keys', sweep: () => idempotencyKeys.sweep() },
      { name: 'ended-sessions', sweep: (now) => operators.dropEndedSessions(now) },
    ],
  };
}

/** Each CA by itself: one that is away holds up none of the others, and is left alone until it is seen again. */
function issuancesOf(deps: RemainderDependencies, authority: string): Remainder {
  const { certificates, issuance, connectorWork } = deps;
  const ours = authority === EMBEDDED_AUTHORITY;
  return {
    name: ours ? 'issuance' : `issuance:${authority}`,
    async due(now, limit) {
      if (!ours && !(await connectorWork.reachable()).has(authority)) return [];
      return await certificates.proposedBefore(before(now), authority, limit);
    },
    complete: async (intent, id) => {
      await issuance.settle(intent, id);
    },
  };
}
