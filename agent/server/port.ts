import type { AttestationServer, TextEvidence } from '../attestation/attest-device.ts';
import type { HardwareFacts } from '../card/port.ts';
import type { DoctorReport } from '../doctor/report.ts';
import type { Claim } from '../enrolment/claim.ts';
import type { SelfChange, WrappedKey } from '../enrolment/journal.ts';
import type { LockoutRules } from '../lockout/port.ts';
import type { AgentTask } from '../tasks/agent-task.ts';
import type { KeyOffer, TaskResult } from '../tasks/journal.ts';

/**
 * What the agent needs of the server. Bytes are base64 text, as they are stored. Every call may be repeated: the server
 * gives the same answer to the same question. Every method throws DomainError: the server's own code, or
 * `server-unreachable`, `server-timeout`, `server-answer-invalid`, `server-failed` (all `unavailable`).
 */
export interface EnrolmentServer extends AttestationServer {
  claim(request: ClaimRequest): Promise<Claim & { readonly state: 'claimed' | 'completed' }>;
  administratorKey(enrolmentId: string, parentPublic: string): Promise<WrappedKey>;
  firstWrite(enrolmentId: string, request: FirstWriteRequest): Promise<FirstWriteAnswer>;
  certificate(
    enrolmentId: string,
    request: { container: string; csr: string; evidence?: TextEvidence; proof?: { jws: string } | { cms: string } },
  ): Promise<IssuedAnswer>;
  /** Base64. Part of what an existing certificate signs for one request. */
  proofNonce(enrolmentId: string): Promise<string>;
  /** The first PIN is set: what an operator who looked on is to confirm, and whether one has. */
  initialPin(enrolmentId: string): Promise<InitialPinAnswer>;
  complete(enrolmentId: string, nvIndex: number): Promise<void>;
}

export interface DeviceServer extends AttestationServer {
  /** New evidence of a card's keys; gives how each was judged. */
  attestCard(cardId: string, keys: readonly AttestedKey[]): Promise<readonly KeyVerdict[]>;
  checkIn(report: CheckInReport): Promise<CheckInAnswer>;
  requestUnblock(cardId: string, request: { challenge: string; triesLeft: number }): Promise<UnblockRequest>;
  unblockRequest(sessionId: string): Promise<{ state: string; response: string | null }>;
  reportUnblock(sessionId: string, outcome: 'worked' | 'failed'): Promise<void>;
  destroyed(cardId: string): Promise<void>;
  /** What this card is to sign so that another card of the same person gets a new PIN. */
  cardApprovalRequest(cardId: string, confirmationCode: string): Promise<CardApprovalRequest>;
  approveWithCard(
    cardId: string,
    approval: { sessionId: string; confirmationCode: string; certificateId: string; signature: string },
  ): Promise<void>;
  /** What is needed to put the lockout of this device's hardware under the vault's protection. `parentPublic`: base64. */
  protectLockout(parentPublic: string): Promise<LockoutAnswer>;
  /** How ready for cards the device found itself; replaces what it said before. */
  reportReadiness(report: DoctorReport): Promise<void>;
}

export interface AttestedKey {
  readonly container: string;
  readonly evidence: TextEvidence;
}

export interface KeyVerdict {
  readonly container: string;
  readonly state: 'attested' | 'refused';
  /** Why it was refused. */
  readonly code: string | null;
}

/** What the tasks of this device need of the server. */
export interface TaskServer {
  /** The next administrator key of the task's card; the first one is stored at the server, and repeated. */
  keyOffer(taskId: string, parentPublic: string): Promise<KeyOffer>;
  /** Of a minidriver card: the response of the key of that version, to find out which one the card has. */
  cardAnswer(taskId: string, request: { keyVersion: number; challenge: string }): Promise<{ response: string }>;
  reportTask(taskId: string, result: TaskResult): Promise<void>;
}

/** The renewal of a card's certificates. */
export interface RenewalServer {
  renewals(cardId: string): Promise<readonly DueRenewal[]>;
  /** `csr`: of a new key; without it for the same key. The same question gives the same certificate. */
  renew(
    cardId: string,
    request: { container: string; replaces: string; csr?: string; evidence?: TextEvidence; proof?: { jws: string } },
  ): Promise<IssuedAnswer>;
  /** The certificate is stored here: the one before may be revoked. */
  confirmRenewal(cardId: string, certificateId: string): Promise<void>;
}

export interface DueRenewal {
  readonly container: string;
  /** What `replaces` names. */
  readonly certificateId: string;
  readonly notAfter: string;
  readonly renewableFrom: string;
  readonly due: boolean;
  /** `new`: a new key, whose request its holder signs. */
  readonly key: 'same' | 'new';
  readonly attestation: 'required' | 'preferred' | 'off';
}

export interface CheckInReport {
  readonly cards: readonly CardReport[];
  readonly agentVersion?: string;
  readonly tpm?: HardwareFacts;
}

export interface CheckInAnswer {
  readonly cards: readonly { readonly cardId: string; readonly state: string }[];
  readonly tasks: readonly AgentTask[];
  /** Null of a server that does not choose. */
  readonly nextCheckInSeconds: number | null;
}

export interface ClaimRequest {
  readonly code: string;
  readonly deviceToken: string;
  readonly device: {
    readonly hostName: string;
    readonly platform: string;
    /** Hexadecimal. */
    readonly storageKeyName: string;
    readonly tpm: { readonly manufacturer: string; readonly firmware: string; readonly revision: string } | null;
  };
}

/** Bytes as base64. */
export interface LockoutAnswer {
  readonly deviceId: string;
  readonly authority: string;
  readonly password: {
    readonly public: string;
    readonly duplicate: string;
    readonly inSymSeed: string;
    readonly name: string;
  };
  readonly rules: LockoutRules;
}

export interface FirstWriteRequest {
  readonly keyVersion: number;
  readonly nvIndex: number;
  readonly nonce: string;
}

export interface FirstWriteAnswer {
  readonly answer: string;
  readonly selfChange: SelfChange;
}

export interface IssuedAnswer {
  readonly certificateId: string;
  readonly certificate: string;
  readonly chain: readonly string[];
}

export interface InitialPinAnswer {
  readonly confirmationCode: string;
  readonly confirmed: boolean;
  readonly pollAfterSeconds: number;
}

export interface CardReport {
  readonly cardId: string;
  readonly triesLeft: number;
  readonly blocked: boolean;
  /** Of the newest key that the card obeys. */
  readonly administratorKeyVersion?: number;
  /** Of a card whose first PIN is handed over. */
  readonly initialPin?: 'pending' | 'set';
}

export interface CardApprovalRequest {
  readonly sessionId: string;
  readonly nonce: string;
  /** Of the other card, and where it is. */
  readonly serial: string;
  readonly hostName: string;
  readonly personName: string;
  readonly requestedAt: string;
}

export interface UnblockRequest {
  readonly sessionId: string;
  /** What the person reads to the operator. */
  readonly confirmationCode: string;
  readonly expiresAt: string;
  readonly pollAfterSeconds: number;
}
