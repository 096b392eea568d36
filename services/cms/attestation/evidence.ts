import { DomainError, isDomainError } from '@cardwright/protocol';
import { parseAttestationKey, verifyCardKey, verifyPinIndex } from '@cardwright/protocol/attestation';
import { cardKeyPolicy, parseStoragePublic, pinIndex } from '@cardwright/protocol/tpm';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type {
  AttestationPolicy,
  AttestedCard,
  DeviceIdentity,
  EvidenceRecords,
  Identities,
  SubmittedEvidence,
  TpmRoots,
  Verdict,
} from './ports.ts';

type Bytes = Uint8Array;
type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

export interface EvidenceDependencies {
  readonly identities: Identities;
  readonly evidence: EvidenceRecords;
  readonly tpmRoots: TpmRoots;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/** For how long a device may answer with evidence: within it, the same nonce serves all of a card's keys. */
const NONCE_MS = 10 * 60_000;

export interface Judgement {
  readonly verdict: Verdict;
  readonly submitted: SubmittedEvidence | null;
  readonly attestationKey: Bytes | null;
}

/** What evidence is about: the key of a certificate request, on a card, on a device. */
export interface Subject {
  readonly deviceId: string;
  readonly cardId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Bytes;
}

/** Attestation as other capabilities use it. */
export interface AttestationDesk {
  /** What the profile's policy comes to: without a single root there is nothing that could be preferred. */
  effectivePolicy(policy: AttestationPolicy): Promise<AttestationPolicy>;
  giveNonce(intent: DeviceIntent): Promise<{ readonly nonce: Bytes; readonly expiresAt: Date }>;
  /**
   * Judges what a device sent, or that it sent nothing; records nothing.
   * @throws DomainError where the policy is `required`: `attestation-required` if nothing was sent, else the reason why
   *   the evidence is refused (unprocessable).
   */
  judge(policy: AttestationPolicy, subject: Subject, submitted: SubmittedEvidence | null): Promise<Judgement>;
  /** With the certificate, in its transaction. Nothing for a judgement of no evidence. */
  record(tx: Tx, intent: Intent, certificateId: string, subject: Subject, judgement: Judgement): Promise<void>;
  /**
   * Whether an administrator key may be wrapped to that storage key (TPM2B_PUBLIC).
   * @throws DomainError `attestation-required`, `tpm-parent-not-attested` (unprocessable).
   */
  demandParent(policy: AttestationPolicy, deviceId: string, parentPublic: Bytes): Promise<void>;
  keyMade(tx: Tx, cardId: string, keyVersion: number, name: Bytes): Promise<void>;
  /** The card is being written with that key: from here on its PIN index has one Name for ever. */
  firstWritten(tx: Tx, cardId: string, keyVersion: number, nvIndex: number): Promise<void>;
}

export function createAttestationDesk(deps: EvidenceDependencies): AttestationDesk {
  const { identities, evidence, runtime } = deps;

  async function judged(
    subject: Subject,
    submitted: SubmittedEvidence,
    identity: DeviceIdentity | null,
  ): Promise<Verdict> {
    try {
      if (identity === null) throw refusal('device-not-attested', 'The device has not proven which TPM it is.');
      if (!(await evidence.isOpen(submitted.nonce, subject.deviceId, runtime.now()))) {
        throw refusal('evidence-stale', 'Its nonce was not given out to this device, or is over: ask for a new one.');
      }
      verify(subject, submitted, identity, await evidence.card(subject.cardId));
      return { state: 'attested' };
    } catch (error) {
      if (!isDomainError(error) || error.kind === 'internal') throw error;
      return { state: 'refused', code: error.code, detail: error.detail };
    }
  }

  return {
    async effectivePolicy(policy) {
      if (policy !== 'preferred') return policy;
      return (await deps.tpmRoots.read()).roots.length === 0 ? 'off' : 'preferred';
    },

    async giveNonce(intent) {
      const nonce = runtime.randomBytes(32);
      const expiresAt = new Date(runtime.now().getTime() + NONCE_MS);
      await deps.unitOfWork.run((tx) => evidence.putNonce(tx, { nonce, deviceId: intent.actor.id, expiresAt }));
      return { nonce, expiresAt };
    },

    async judge(policy, subject, submitted) {
      const nothing: Judgement = { verdict: { state: 'unattested' }, submitted: null, attestationKey: null };
      if (policy === 'off') return nothing;
      if (submitted === null) {
        if (policy === 'required') throw required();
        return nothing;
      }
      const identity = await identities.find(subject.deviceId);
      const verdict = await judged(subject, submitted, identity);
      if (policy === 'required' && verdict.state === 'refused') throw refusal(verdict.code, verdict.detail);
      return { verdict, submitted, attestationKey: identity?.attestationKey ?? null };
    },

    async record(tx, intent, certificateId, { deviceId, cardId }, { verdict, submitted, attestationKey }) {
      if (submitted === null || verdict.state === 'unattested') return;
      const judgedAt = runtime.now();
      const id = runtime.newId();
      await evidence.put(tx, { id, certificateId, deviceId, verdict, judgedAt, evidence: submitted, attestationKey });
      await deps.audit.record(tx, intent, {
        action: verdict.state === 'attested' ? 'certificate.attested' : 'certificate.attestation-refused',
        object: { kind: 'certificate', id: certificateId },
        about: { certificateId, deviceId, cardId },
        after: verdict.state === 'attested' ? { evidenceId: id } : { evidenceId: id, code: verdict.code },
      });
    },

    async demandParent(policy, deviceId, parentPublic) {
      const identity = await identities.find(deviceId);
      if (identity === null) {
        if (policy === 'required') throw required();
        return;
      }
      const [asked, proven] = [parentPublic, identity.storageKey].map((one) => parseStoragePublic(one).name);
      if (Buffer.from(asked as Bytes).equals(proven as Bytes)) return;
      const detail = 'This is not the storage key that the TPM of the device was proven to hold.';
      throw refusal('tpm-parent-not-attested', detail);
    },

    keyMade: (tx, cardId, keyVersion, name) => evidence.putKeyName(tx, cardId, keyVersion, name),

    async firstWritten(tx, cardId, keyVersion, nvIndex) {
      const administratorKeyName = await evidence.keyName(tx, cardId, keyVersion);
      // A key that was made before cms kept their Names: its card stays unattested.
      if (administratorKeyName === null) return;
      await evidence.setIndexName(tx, cardId, pinIndex({ nvIndex, administratorKeyName }).writtenName);
    },
  };
}

function verify(
  subject: Subject,
  submitted: SubmittedEvidence,
  identity: DeviceIdentity,
  card: AttestedCard | null,
): void {
  if (card === null || card.indexName === null || card.pinLimit === null) {
    throw refusal('card-index-unknown', 'This card was written before its PIN index was recorded; reissue it.');
  }
  const indexName = Buffer.from(card.indexName, 'hex');
  const asked = { attestationKey: parseAttestationKey(identity.attestationKey), nonce: submitted.nonce };
  const policy = cardKeyPolicy(indexName);
  const { publicKeyInfo } = subject;
  const parentName = parseStoragePublic(identity.storageKey).name;
  verifyCardKey(submitted.key, { publicKeyInfo, parentName, policy }, asked);
  verifyPinIndex(submitted.index, { name: indexName, pinLimit: card.pinLimit }, asked);
}

function required(): DomainError {
  const detail = "The card's profile demands that the device proves its TPM and the card's keys, and it did not.";
  return refusal('attestation-required', detail);
}

function refusal(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail);
}
