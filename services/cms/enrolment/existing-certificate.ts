import { DomainError } from '@cardwright/protocol';
import { enrolmentProofStatement } from '@cardwright/protocol/enrolment';
import type { Card, EnrolmentRules } from '../cards/index.ts';
import { csrHash, type InForce, isAtLeast, judgeForce, type NotInForce } from '../certificates/index.ts';
import {
  aboutHeld,
  type DeviceIntent,
  type Held,
  hold,
  holdUnfinished,
  type StepDependencies,
} from './device-steps.ts';
import type { ProofNonce, ProofNonces, SignatureChecks, SignersCertificate, SignersCertificates } from './ports.ts';
import { type ProofSignature, readProof, type SubmittedProof } from './proof-signature.ts';

/*
 * An enrolment that an existing certificate of the person proves: each certification request is signed for by it, with a nonce
 * of ours. The enrolment code alone is good for nothing then: not for who found it, and not for who made it.
 */

export interface ProofDependencies extends StepDependencies {
  readonly nonces: ProofNonces;
  readonly certificateViews: SignersCertificates;
  readonly signatures: SignatureChecks;
}

/** To look for the other card, and to type its PIN. */
export const PROOF_SECONDS = 300;
const NONCE_BYTES = 32;

/** @throws DomainError as {@link holdUnfinished}; `proof-not-for-method` (conflict). */
export async function giveProofNonce(
  deps: ProofDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
): Promise<ProofNonce> {
  return deps.unitOfWork.run(async (tx) => {
    const held = await holdUnfinished(deps, tx, intent, enrolmentId);
    if (held.enrolment.method !== 'existing-certificate') throw notForMethod('conflict');
    const expiresAt = new Date(deps.runtime.now().getTime() + PROOF_SECONDS * 1000);
    const given = { nonce: deps.runtime.randomBytes(NONCE_BYTES), expiresAt };
    await deps.nonces.put(tx, enrolmentId, given);
    await deps.audit.record(tx, intent, {
      action: 'enrolment.proof-prepared',
      object: { kind: 'enrolment', id: enrolmentId },
      about: aboutHeld(held),
    });
    return given;
  });
}

/** What vouches for one certification request. */
export interface Proven {
  readonly signer: InForce<SignersCertificate>;
}

interface ProofWanted {
  readonly container: string;
  readonly csr: Uint8Array;
  readonly proof: SubmittedProof | null;
}

/**
 * Judges the proof of a request; null where the method asks for none. The nonce is used up by the first signature that is
 * looked at, right or wrong, so nothing is proven twice.
 * @throws DomainError (unprocessable) `proof-required`, `proof-not-for-method`, `proof-malformed`, `proof-of-another-request`,
 *   `proof-signature-invalid`, `signer-unknown`, `signer-of-another-person`, `signer-of-this-card`, `signer-revoked`,
 *   `signer-on-hold`, `signer-expired`, `signer-may-not-sign`, `signer-assurance-too-low`; `proof-expired` (conflict).
 */
export async function judgeProof(
  deps: ProofDependencies,
  intent: DeviceIntent,
  { enrolment, card }: Held,
  rules: Pick<EnrolmentRules, 'signerAssurance'>,
  { container, csr, proof }: ProofWanted,
): Promise<Proven | null> {
  if (enrolment.method !== 'existing-certificate') {
    if (proof !== null) throw notForMethod('unprocessable');
    return null;
  }
  if (proof === null) {
    throw refused('proof-required', 'This request has to be signed for by a certificate that the person has already.');
  }
  const read = readProof(proof);
  const signer = await signerOf(deps, read);
  demandSigner(deps, signer, card, rules);
  const nonce = await deps.unitOfWork.run(async (tx) => {
    await hold(deps, tx, intent, enrolment.id);
    return deps.nonces.take(tx, enrolment.id);
  });
  if (nonce === null || nonce.expiresAt <= deps.runtime.now()) throw expired();
  const statement = enrolmentProofStatement({
    ...{ enrolmentId: enrolment.id, nonce: nonce.nonce, cardSerial: card.serial, container },
    requestHash: csrHash(csr),
  });
  const covered = read.covers(statement);
  if (covered === null) {
    const detail = 'What was signed is another request, or another nonce than the last one. Begin the proof again.';
    throw refused('proof-of-another-request', detail);
  }
  if (!deps.signatures.verify(signer.der, covered, read.signature, read.form)) {
    throw refused(
      'proof-signature-invalid',
      'The key of the certificate did not sign for this request with the last nonce. Begin the proof again.',
    );
  }
  return { signer };
}

/** In the transaction that records the request: what ended meanwhile vouches for nothing. */
export async function stillInForce(deps: ProofDependencies, { signer }: Proven): Promise<void> {
  inForce(await find(deps, { thumbprint: signer.thumbprint ?? '' }), deps.runtime.now());
}

/** By what came along, or by the number alone. */
async function signerOf(deps: ProofDependencies, { signer }: ProofSignature): Promise<InForce<SignersCertificate>> {
  const now = deps.runtime.now();
  if ('thumbprint' in signer) return inForce(await find(deps, signer), now);
  const described = signer.certificates.map((der) => deps.signatures.describe(der)).filter((one) => one !== null);
  const { serialNumber } = signer;
  const own = described.find((one) => serialNumber === null || one.serialNumber === serialNumber);
  if (own !== undefined) return inForce(await find(deps, { thumbprint: own.thumbprint }), now);
  if (serialNumber !== null && described.length === 0) return inForce(await find(deps, { serialNumber }), now);
  throw unknownSigner();
}

type Filter = { readonly thumbprint: string } | { readonly serialNumber: string };

/** Two CAs may have given the same number: then the certificate has to come along. */
async function find(deps: ProofDependencies, filter: Filter): Promise<SignersCertificate> {
  const [found, ...more] = await deps.certificateViews.list(filter, deps.runtime.now(), null, 2);
  if (found === undefined || more.length > 0) throw unknownSigner();
  return found;
}

const WHY_NOT: Readonly<Record<Exclude<NotInForce, 'unknown'>, { readonly code: string; readonly detail: string }>> = {
  revoked: { code: 'signer-revoked', detail: 'The certificate that signed is revoked.' },
  'on-hold': { code: 'signer-on-hold', detail: 'The certificate that signed is on hold.' },
  expired: { code: 'signer-expired', detail: 'The certificate that signed is out of its time.' },
};

function inForce(found: SignersCertificate, now: Date): InForce<SignersCertificate> {
  const judged = judgeForce(found, now);
  if ('certificate' in judged) return judged.certificate;
  if (judged.why === 'unknown') throw unknownSigner();
  const { code, detail } = WHY_NOT[judged.why];
  throw refused(code, detail);
}

function demandSigner(
  { signatures }: ProofDependencies,
  signer: InForce<SignersCertificate>,
  card: Card,
  { signerAssurance }: Pick<EnrolmentRules, 'signerAssurance'>,
): void {
  if (signer.personId !== card.personId) {
    throw refused('signer-of-another-person', 'The certificate that signed is not of the person who gets the card.');
  }
  if (signer.cardId === card.id) {
    throw refused('signer-of-this-card', 'A card does not vouch for itself: sign with another one.');
  }
  if (!signatures.maySign(signer.der)) {
    throw refused('signer-may-not-sign', 'The certificate that signed is not one for signatures (digitalSignature).');
  }
  if (!isAtLeast(signer.assurance, signerAssurance)) {
    const detail = `The certificate that signed is of the level ${signer.assurance}; at least ${signerAssurance} is wanted.`;
    throw refused('signer-assurance-too-low', detail);
  }
}

function refused(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer: '/proof', detail }] });
}

function unknownSigner(): DomainError {
  return refused(
    'signer-unknown',
    'The certificate that signed is none of ours. Send it along, or name it by x5t#S256.',
  );
}

function notForMethod(kind: 'conflict' | 'unprocessable'): DomainError {
  const detail = 'This enrolment is not one that an existing certificate signs for.';
  return new DomainError(kind, 'proof-not-for-method', detail);
}

function expired(): DomainError {
  const detail = 'No nonce waits for this signature: it came too late, or was used before. Begin the proof again.';
  return new DomainError('conflict', 'proof-expired', detail);
}
