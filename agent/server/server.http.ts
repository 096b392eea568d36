import type { Shape } from '../shape.ts';
import {
  activationAnswer,
  administratorKeyAnswer,
  cardAnswerAnswer,
  cardApprovalAnswer,
  cardApprovalRequestAnswer,
  cardAttestedAnswer,
  certificateAnswer,
  checkInAnswer,
  claimAnswer,
  completionAnswer,
  destructionAnswer,
  evidenceNonceAnswer,
  firstWriteAnswer,
  hiddenCredentialAnswer,
  initialPinAnswer,
  keyOfferAnswer,
  lockoutProtectionAnswer,
  proofNonceAnswer,
  readinessAnswer,
  renewalConfirmationAnswer,
  renewalsAnswer,
  taskReportAnswer,
  unblockRequestAnswer,
  unblockStateAnswer,
} from './answers.ts';
import { type BodyOf, filled, type PathOf, type PathParameters } from './contract.ts';
import { asDevice } from './device-exchange.http.ts';
import { type Exchange, exchange } from './exchange.http.ts';
import type { DeviceServer, EnrolmentServer, RenewalServer, TaskServer } from './port.ts';
import { proxyFor } from './proxy.ts';
import type { SignIn } from './sign-in.ts';
import { Wire } from './wire.http.ts';

/** Key generation and the CA's signature happen within one call, so a single attempt may take its time. */
const TIMEOUT_MS = 30_000;
const ATTEMPTS = 4;

export interface ServerOptions {
  /** As `serverAddress` gave it. */
  readonly url: string;
  readonly deviceToken: string;
  /** DER in base64: the CA that is pinned for it. Null for clear http, and for stores from before there were pins. */
  readonly trustedCa: string | null;
}

export interface ServerLimits {
  readonly timeoutMs?: number;
  readonly attempts?: number;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

export function httpServer(
  { url: baseUrl, deviceToken, trustedCa }: ServerOptions,
  options: ServerLimits,
  environment: NodeJS.ProcessEnv,
  signIn?: SignIn,
): EnrolmentServer & DeviceServer & TaskServer & RenewalServer {
  const proxy = proxyFor(baseUrl, environment);
  const ca = trustedCa === null ? undefined : Buffer.from(trustedCa, 'base64');
  const limits: Exchange = {
    baseUrl,
    wire: new Wire({ baseUrl, trustedCa: ca, proxy }),
    pinned: ca !== undefined,
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    attempts: options.attempts ?? ATTEMPTS,
  };

  const get = <P extends PathOf<'get'>, T>(path: P, parameters: PathParameters<'get', P>, answer: Shape<T>) =>
    asDevice(limits, deviceToken, signIn, {
      method: 'GET',
      path: filled(path, parameters as Record<string, string>),
      answer,
    });
  const post = <P extends PathOf<'post'>, T>(
    path: P,
    parameters: PathParameters<'post', P>,
    body: BodyOf<P>,
    answer: Shape<T>,
  ) =>
    asDevice(limits, deviceToken, signIn, {
      method: 'POST',
      path: filled(path, parameters as Record<string, string>),
      body,
      answer,
    });

  return {
    // The code is the credential here: the token is only being introduced.
    claim: (request) => {
      const path: PathOf<'post'> = '/agent/enrolments/claims';
      const body: BodyOf<typeof path> = request;
      return exchange(limits, { method: 'POST', path, body, answer: claimAnswer });
    },
    administratorKey: async (enrolmentId, parentPublic) => {
      const path = '/agent/enrolments/{enrolmentId}/administrator-keys';
      const { name, ...wrapped } = await post(path, { enrolmentId }, { parentPublic }, administratorKeyAnswer);
      return { ...wrapped, name: Buffer.from(name, 'base64').toString('hex') };
    },
    firstWrite: (enrolmentId, request) =>
      post('/agent/enrolments/{enrolmentId}/first-writes', { enrolmentId }, request, firstWriteAnswer),
    certificate: (enrolmentId, request) =>
      post('/agent/enrolments/{enrolmentId}/certificate-requests', { enrolmentId }, request, certificateAnswer),
    proofNonce: async (enrolmentId) =>
      (await post('/agent/enrolments/{enrolmentId}/proof-nonces', { enrolmentId }, {}, proofNonceAnswer)).nonce,
    initialPin: (enrolmentId) =>
      post('/agent/enrolments/{enrolmentId}/initial-pins', { enrolmentId }, {}, initialPinAnswer),
    beginAttestation: ({ chain, ...request }) =>
      post('/agent/attestations', {}, { ...request, chain: [...chain] }, hiddenCredentialAnswer),
    activateAttestation: async (attestationId, request) => {
      await post('/agent/attestations/{attestationId}/activations', { attestationId }, request, activationAnswer);
    },
    attestCard: async (cardId, keys) =>
      (await post('/agent/cards/{cardId}/evidence', { cardId }, { keys: [...keys] }, cardAttestedAnswer)).certificates,
    evidenceNonce: async () => (await post('/agent/evidence-nonces', {}, {}, evidenceNonceAnswer)).nonce,
    complete: async (enrolmentId, nvIndex) => {
      await post('/agent/enrolments/{enrolmentId}/completions', { enrolmentId }, { nvIndex }, completionAnswer);
    },
    checkIn: ({ cards, ...about }) => post('/agent/check-ins', {}, { cards: [...cards], ...about }, checkInAnswer),
    requestUnblock: (cardId, request) =>
      post('/agent/cards/{cardId}/unblock-requests', { cardId }, request, unblockRequestAnswer),
    unblockRequest: (sessionId) => get('/agent/unblock-requests/{sessionId}', { sessionId }, unblockStateAnswer),
    reportUnblock: async (sessionId, outcome) => {
      await post('/agent/unblock-requests/{sessionId}/outcomes', { sessionId }, { outcome }, unblockStateAnswer);
    },
    destroyed: async (cardId) => {
      await post('/agent/cards/{cardId}/destructions', { cardId }, {}, destructionAnswer);
    },
    cardApprovalRequest: (cardId, confirmationCode) =>
      post('/agent/cards/{cardId}/approval-requests', { cardId }, { confirmationCode }, cardApprovalRequestAnswer),
    approveWithCard: async (cardId, approval) => {
      await post('/agent/cards/{cardId}/approvals', { cardId }, approval, cardApprovalAnswer);
    },
    keyOffer: async (taskId, parentPublic) =>
      (await post('/agent/tasks/{taskId}/offers', { taskId }, { parentPublic }, keyOfferAnswer)).keyOffer,
    cardAnswer: (taskId, body) => post('/agent/tasks/{taskId}/card-answers', { taskId }, body, cardAnswerAnswer),
    reportTask: async (taskId, { outcome, code, detail, keyVersion }) => {
      const why = { ...(code === null ? {} : { code }), ...(detail === null ? {} : { detail }) };
      const body = { outcome, ...why, ...(keyVersion === null ? {} : { keyVersion }) };
      await post('/agent/tasks/{taskId}/results', { taskId }, body, taskReportAnswer);
    },
    renewals: async (cardId) => (await get('/agent/cards/{cardId}/renewals', { cardId }, renewalsAnswer)).items,
    renew: (cardId, body) => post('/agent/cards/{cardId}/certificate-requests', { cardId }, body, certificateAnswer),
    confirmRenewal: async (cardId, certificateId) => {
      const path = '/agent/cards/{cardId}/certificates/{certificateId}/confirmations';
      await post(path, { cardId, certificateId }, {}, renewalConfirmationAnswer);
    },
    protectLockout: (parentPublic) => post('/agent/lockout-protections', {}, { parentPublic }, lockoutProtectionAnswer),
    reportReadiness: async ({ findings, ...report }) => {
      await post('/agent/doctor-reports', {}, { ...report, findings: [...findings] }, readinessAnswer);
    },
  };
}
