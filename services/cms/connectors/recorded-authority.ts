import { DomainError, isDomainError } from '@cardwright/protocol';
import type { ParsedCertificate } from '@cardwright/protocol/attestation';
import type { CertificateAuthority, CertificateReader, IssuanceRequest, IssuedChain } from '../certificates/index.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { certificatesFrom, judgeAnswer, read } from './judge-answer.ts';
import { asRefusal, NotAsked } from './not-asked.ts';
import type { Answer, Attempt, AttemptRecords, AuthorityStates, CaConnector } from './ports.ts';
import { badAnswer } from './refusals.ts';
import { demandMayAsk } from './repeat.ts';
import { askedBeyondKey } from './request-names.ts';

export interface RecordedAuthorityDependencies {
  readonly attempts: AttemptRecords;
  readonly states: AuthorityStates;
  readonly reader: Pick<CertificateReader, 'publicKeyOf'>;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
  /** What nobody waits for any more. For the log. */
  readonly onError: (error: unknown, authority: string) => void;
  /** Gives up waiting after some milliseconds, and nothing else. */
  readonly within: <T>(asked: Promise<T>, millis: number) => Promise<T>;
  /** Does it again until it is done, for so long. */
  readonly insist: <T>(work: () => Promise<T>, millis: number) => Promise<T>;
}

/**
 * A CA that keeps no idempotency key, made into one that gives one certificate a request: every question is recorded
 * before it is asked, every certificate that comes before it is judged, and of those one is chosen and the others are
 * revoked. What can't be known: whether a question without an answer made a certificate. Nobody has such a certificate
 * but the CA and who stands between; its key is on the card of who asked.
 */
export function createRecordedAuthority(
  connector: CaConnector,
  deps: RecordedAuthorityDependencies,
): CertificateAuthority {
  const { attempts, states, reader, unitOfWork, audit, runtime } = deps;
  const { name } = connector.description;
  const { pinned } = connector;
  /** Questions of this process that are open, by request. */
  const running = new Map<string, Promise<IssuedChain>>();

  const toChain = (certificate: Uint8Array, ignored: readonly string[]): IssuedChain => ({
    certificate,
    chain: pinned.map(({ bytes }) => bytes),
    ignored,
  });

  /** Settles all that was received and not judged, one fate each. Gives the chosen one. */
  async function settle(
    tx: Tx,
    request: IssuanceRequest,
  ): Promise<{ chosen: Answer | null; wrong: DomainError | null }> {
    const key = reader.publicKeyOf(request.csr);
    const answers = await attempts.ofRequest(tx, name, request.requestId);
    let chosen = answers.find(({ state }) => state === 'chosen') ?? null;
    let wrong: DomainError | null = null;
    for (const answer of answers.filter(({ state }) => state === 'received')) {
      const error = fault(read(answer.certificate), request, key, answer.receivedAt);
      const code = error?.code ?? (chosen === null ? null : 'ca-answer-repeated');
      await attempts.judge(tx, answer.id, code === null ? 'chosen' : 'unwanted', code, runtime.now());
      if (code === null) chosen = answer;
      else await recordUnwanted(tx, answer, code);
      wrong ??= error;
    }
    return { chosen, wrong };
  }

  function fault(leaf: ParsedCertificate, request: IssuanceRequest, key: Uint8Array, at: Date): DomainError | null {
    try {
      judgeAnswer(leaf, request, key, pinned, at);
      return null;
    } catch (error) {
      if (isDomainError(error)) return error;
      throw error;
    }
  }

  async function recordUnwanted(tx: Tx, answer: Answer, code: string): Promise<void> {
    const about = await attempts.requestedFor(tx, answer.requestId);
    await audit.record(tx, intent(), {
      action: 'certificate.answer-refused',
      object: { kind: 'certificate', id: about?.certificateId ?? null },
      ...(about === null ? {} : { about }),
      after: { authority: name, code, serialNumber: answer.serialNumber },
    });
  }

  const intent = () =>
    ({ actor: { kind: 'system', id: `authority:${name}`, name }, requestId: runtime.newId() }) as const;

  async function ask(request: IssuanceRequest, attempt: Attempt): Promise<IssuedChain> {
    const signal = AbortSignal.timeout(connector.giveUpAfterMillis);
    try {
      const answer = await connector.enrol(request, signal);
      const received = certificatesFrom(answer, pinned).map((certificate) => ({
        id: runtime.newId(),
        serialNumber: certificate.serialNumber,
        certificate: certificate.bytes,
      }));
      // It is in the world now: a database that is away for a moment must not make us forget it.
      const store = () => attempts.receive(attempt, received, runtime.now());
      const own = await deps.insist(store, connector.giveUpAfterMillis);
      await states.note(name, 'up', null, null, runtime.now());
      if (own.length === 0) throw badAnswer('ca-answer-repeated', 'The CA sent the certificate of another request.');
      await attempts.end(attempt.id, 'answered', runtime.now());
      return await judged(request);
    } catch (error) {
      await failed(attempt, error);
      throw asRefusal(error);
    }
  }

  async function judged(request: IssuanceRequest): Promise<IssuedChain> {
    const { chosen, wrong } = await unitOfWork.run(async (tx) => {
      await attempts.lockRequest(tx, name, request.requestId);
      return await settle(tx, request);
    });
    if (chosen !== null) return toChain(chosen.certificate, ignoredIn(request));
    throw wrong ?? badAnswer('ca-answer-repeated', 'The CA sent a certificate that was refused before.');
  }

  async function failed(attempt: Attempt, error: unknown): Promise<void> {
    const now = runtime.now();
    const code = error instanceof NotAsked ? 'not-asked' : isDomainError(error) ? error.code : 'internal';
    await attempts.end(attempt.id, code, now);
    if (code === 'not-asked' || code === 'ca-unavailable') await noteAway(error);
  }

  async function noteAway(error: unknown): Promise<void> {
    const detail = error instanceof NotAsked ? error.message : 'The CA was asked and did not answer.';
    await states.note(name, 'down', 'ca-unavailable', detail, runtime.now());
  }

  /** Begins a question, or gives what is there already. */
  async function begin(request: IssuanceRequest): Promise<IssuedChain> {
    const now = runtime.now();
    const { requestId } = request;
    const attempt = {
      id: runtime.newId(),
      authority: name,
      requestId,
      startedAt: now,
      givesUpAt: new Date(now.getTime() + connector.giveUpAfterMillis),
    };
    const chosen = await unitOfWork.run(async (tx) => {
      await attempts.lockRequest(tx, name, requestId);
      // In this order: an answer is stored before its question ends, so what has ended by now is seen by what is read next.
      const history = await attempts.history(tx, name, requestId, now);
      const settled = await settle(tx, request);
      if (settled.chosen !== null) return settled.chosen;
      demandMayAsk(history, now);
      await attempts.begin(tx, attempt);
      return null;
    });
    if (chosen !== null) return toChain(chosen.certificate, ignoredIn(request));
    return await ask(request, attempt);
  }

  /** Gives the time from which it counts at the CA, as far as we know. */
  async function tell(serialNumber: string, reason: string, at: Date, invalidityDate: Date | undefined): Promise<Date> {
    const answer = await attempts.bySerial(name, serialNumber);
    if (answer === null) {
      throw new DomainError('internal', 'certificate-unknown-to-ca', `${name} gave no certificate ${serialNumber}.`);
    }
    if (answer.revokedByHandAt !== null) return answer.revokedByHandAt;
    if (connector.revoke === undefined) throw byHand(name);
    const { certificate } = answer;
    try {
      await connector.revoke({ certificate, serialNumber, reason, revokedAt: at, invalidityDate });
    } catch (error) {
      if (error instanceof NotAsked || (isDomainError(error) && error.kind === 'unavailable')) await noteAway(error);
      throw asRefusal(error);
    }
    return at;
  }

  function keep({ requestId, ...request }: IssuanceRequest): Promise<IssuedChain> {
    const asked = begin({ requestId, ...request }).finally(() => running.delete(requestId));
    // Who asked may have gone by the time it fails.
    asked.catch((error) => deps.onError(error, name));
    running.set(requestId, asked);
    return asked;
  }

  return {
    async issue(request) {
      connector.demandExpressible(request);
      const asked = running.get(request.requestId) ?? keep(request);
      return await deps.within(asked, connector.answerWithinMillis);
    },

    async find(requestId) {
      const chosen = await attempts.chosen(name, requestId);
      return chosen === null ? null : toChain(chosen.certificate, []);
    },

    async revoke(serialNumber, reason, revokedAt, invalidityDate) {
      if (reason === 'certificateHold' && !connector.description.hold) throw holdNotOffered(name);
      return { revokedAt: await tell(serialNumber, reason, revokedAt, invalidityDate) };
    },

    ...(connector.description.hold
      ? {
          release: async (serial: string, at: Date) => ({
            releasedAt: await tell(serial, 'removeFromCRL', at, undefined),
          }),
        }
      : {}),

    health: () => connector.probe(),
    ...(connector.list === undefined ? {} : { list: connector.list }),
    ...(connector.crl === undefined ? {} : { crl: connector.crl }),
  };
}

/** Names are the person's record's; a CA that takes them from the request was held to them before it was asked. */
function ignoredIn({ csr }: IssuanceRequest): readonly string[] {
  return askedBeyondKey(csr).items;
}

const byHand = (name: string) =>
  new DomainError(
    'unavailable',
    'revocation-by-hand',
    `The CA ${name} can not be told by us: revoke the certificate there, and then say here that it is done.`,
  );

const holdNotOffered = (name: string) =>
  new DomainError(
    'unprocessable',
    'hold-not-offered',
    `The CA ${name} knows no holds: revoke the certificate, or leave it.`,
  );
