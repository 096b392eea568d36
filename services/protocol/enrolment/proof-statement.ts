import { hexOf, statementOf } from '../challenge/statement.ts';

/** What a person says, by a certificate that they have already, so that a new card of theirs gets one. */
export interface EnrolmentProof {
  readonly enrolmentId: string;
  /** 32 bytes of the server, for one certification request. */
  readonly nonce: Uint8Array;
  /** Of the card that is being made. */
  readonly cardSerial: string;
  readonly container: string;
  /** SHA-256 of the certification request, DER. */
  readonly requestHash: Uint8Array;
}

const TITLE = 'Cardwright: this key is for a card of mine, v1';

/** The statement that the existing certificate's key signs, in a JWS or in CMS. Throws RangeError as `statementOf` does. */
export function enrolmentProofStatement(proof: EnrolmentProof): Uint8Array {
  return statementOf(TITLE, {
    enrolment: proof.enrolmentId,
    nonce: hexOf(proof.nonce),
    card: proof.cardSerial,
    container: proof.container,
    request: hexOf(proof.requestHash),
  });
}
