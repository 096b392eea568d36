import type { EnrolmentMethod, InitialPin } from '../cards/index.ts';
import { type Assurance, weakestOf } from '../certificates/index.ts';
import type { VerificationMethod } from '../kernel/verification.ts';

/** What a certificate's level follows from. */
export interface AssuranceFacts {
  readonly method: EnrolmentMethod;
  readonly initialPin: InitialPin;
  /** How operators verified the person: when the enrolment was made, and when the first PIN was set. */
  readonly verifications: readonly VerificationMethod[];
  /** Of the certificate that signed the request; null where none did. */
  readonly signer: Assurance | null;
  /** Whether the TPM has proven that it holds the key. */
  readonly attested: boolean;
}

/** Whose it is: what the verification of a person is worth. A number to call back is known, who picks up is not. */
const OF_VERIFICATION: Readonly<Record<VerificationMethod, Assurance>> = {
  'in-person': 'high',
  video: 'substantial',
  manager: 'substantial',
  'call-back': 'low',
};

/**
 * Who knows the PIN. `holder`: whoever had the code typed it, unseen. `handed-over`: nobody ever saw it, if the device that
 * was prepared was honest, which nobody watched. `supervised`: an operator looked on.
 */
const OF_PIN: Readonly<Record<InitialPin, Assurance>> = {
  holder: 'substantial',
  supervised: 'high',
  'handed-over': 'substantial',
};

/** Without the TPM's word a key may be in software, and there may be copies of it. */
const UNATTESTED: Assurance = 'substantial';

/**
 * The level that an enrolment reaches: of person, PIN and key, the weakest. A code alone says nothing of who has it. A request
 * that an existing certificate signed is as good as that certificate, whoever set the PIN: its holder signed for this very key.
 */
export function assuranceOf(facts: AssuranceFacts): Assurance {
  const { method, initialPin, signer, attested } = facts;
  const person = method === 'existing-certificate' ? (signer ?? 'none') : personOf(facts);
  const pin = method === 'existing-certificate' && initialPin === 'holder' ? 'high' : OF_PIN[initialPin];
  return weakestOf(person, pin, attested ? 'high' : UNATTESTED);
}

/** The best of the verifications, each of which was of the person: a second look takes nothing from the first. */
function personOf({ verifications }: AssuranceFacts): Assurance {
  let best: Assurance = 'low';
  for (const verification of verifications) {
    const level = OF_VERIFICATION[verification];
    if (weakestOf(level, best) === best) best = level;
  }
  return best;
}
