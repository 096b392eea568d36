import { DomainError } from '@cardwright/protocol';
import { renewalProofStatement } from '@cardwright/protocol/enrolment';
import { csrHash } from '../certificates/index.ts';
import { readProof, type SignatureChecks, type SubmittedProof } from '../enrolment/index.ts';

/**
 * Whether the key of the certificate in force signed for the one that is to follow it, which keeps the level of assurance.
 * Nothing sent: it did not. @throws DomainError `proof-malformed`, `proof-signature-invalid` (unprocessable).
 */
export function signedByOld(
  { verify }: Pick<SignatureChecks, 'verify'>,
  { serial }: { readonly serial: string },
  old: { readonly id: string; readonly der: Uint8Array },
  wanted: { readonly container: string; readonly csr: Uint8Array; readonly proof: SubmittedProof | null },
): boolean {
  const { container, csr, proof } = wanted;
  if (proof === null) return false;
  const read = readProof(proof);
  const about = { cardSerial: serial, container, replaces: old.id, requestHash: csrHash(csr) };
  const covered = read.covers(renewalProofStatement(about));
  if (covered !== null && verify(old.der, covered, read.signature, read.form)) return true;
  const detail = 'The key of the certificate in force did not sign for this request.';
  const fields = [{ pointer: '/proof', detail }];
  throw new DomainError('unprocessable', 'proof-signature-invalid', detail, { fields });
}
