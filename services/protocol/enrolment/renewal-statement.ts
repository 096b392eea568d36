import { hexOf, statementOf } from '../challenge/statement.ts';

/** What a card's key says of the one that is to follow it in the same container. */
export interface RenewalProof {
  readonly cardSerial: string;
  readonly container: string;
  /** Id of the certificate in force, whose key signs. */
  readonly replaces: string;
  /** SHA-256 of the certification request of the new key, DER. */
  readonly requestHash: Uint8Array;
}

const TITLE = 'Cardwright: the next key of this card, v1';

/** Needs no nonce: it names the certificate and the request, and said again it says the same. Throws as `statementOf` does. */
export function renewalProofStatement(proof: RenewalProof): Uint8Array {
  return statementOf(TITLE, {
    card: proof.cardSerial,
    container: proof.container,
    replaces: proof.replaces,
    request: hexOf(proof.requestHash),
  });
}
