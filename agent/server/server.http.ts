import type { Shape } from '../shape.ts';
import {
  administratorKeyAnswer,
  certificateAnswer,
  checkInAnswer,
  claimAnswer,
  completionAnswer,
  destructionAnswer,
  firstWriteAnswer,
  unblockRequestAnswer,
  unblockStateAnswer,
} from './answers.ts';
import { type Exchange, exchange } from './exchange.http.ts';
import type { DeviceServer, EnrolmentServer } from './port.ts';

/** Key generation and the CA's signature happen within one call, so a single attempt may take its time. */
const TIMEOUT_MS = 30_000;
const ATTEMPTS = 4;

export interface ServerOptions {
  /** As `serverAddress` gave it. */
  readonly baseUrl: string;
  readonly deviceToken: string;
  readonly timeoutMs?: number;
  readonly attempts?: number;
}

export function httpServer(options: ServerOptions): EnrolmentServer & DeviceServer {
  const limits: Exchange = {
    baseUrl: options.baseUrl,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    attempts: options.attempts ?? ATTEMPTS,
  };
  const asDevice: Exchange = { ...limits, bearer: options.deviceToken };
  const get = <T>(path: string, answer: Shape<T>) => exchange(asDevice, { method: 'GET', path, answer });
  const post = <T>(path: string, body: unknown, answer: Shape<T>) =>
    exchange(asDevice, { method: 'POST', path, body, answer });

  return {
    // The code is the credential here: the token is only being introduced.
    claim: (request) =>
      exchange(limits, { method: 'POST', path: '/agent/enrolments/claims', body: request, answer: claimAnswer }),
    administratorKey: async (enrolmentId, parentPublic) => {
      const path = `/agent/enrolments/${enrolmentId}/administrator-keys`;
      const { name, ...wrapped } = await post(path, { parentPublic }, administratorKeyAnswer);
      return { ...wrapped, name: Buffer.from(name, 'base64').toString('hex') };
    },
    firstWrite: (enrolmentId, request) =>
      post(`/agent/enrolments/${enrolmentId}/first-writes`, request, firstWriteAnswer),
    certificate: (enrolmentId, request) =>
      post(`/agent/enrolments/${enrolmentId}/certificate-requests`, request, certificateAnswer),
    complete: async (enrolmentId, nvIndex) => {
      await post(`/agent/enrolments/${enrolmentId}/completions`, { nvIndex }, completionAnswer);
    },
    checkIn: async (cards) => (await post('/agent/check-ins', { cards }, checkInAnswer)).cards,
    requestUnblock: (cardId, request) => post(`/agent/cards/${cardId}/unblock-requests`, request, unblockRequestAnswer),
    unblockRequest: (sessionId) => get(`/agent/unblock-requests/${sessionId}`, unblockStateAnswer),
    reportUnblock: async (sessionId, outcome) => {
      await post(`/agent/unblock-requests/${sessionId}/outcomes`, { outcome }, (value) => value);
    },
    destroyed: async (cardId) => {
      await post(`/agent/cards/${cardId}/destructions`, {}, destructionAnswer);
    },
  };
}
