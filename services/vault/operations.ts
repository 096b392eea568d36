/**
 * What the vault does, seen from its callers. On the link, byte strings travel as base64url without padding; a typed
 * client turns them into Uint8Array.
 */
export const ALGORITHMS = ['tdes', 'aes-128', 'aes-192', 'aes-256', 'hmac-sha256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
/** Of cards whose key is known to someone outside before the vault has it: `hmac-sha256` keys are always made here. */
export type ImportableAlgorithm = Exclude<Algorithm, 'hmac-sha256'>;

export const STRATEGIES = ['random-stored', 'deterministic'] as const;
export type KeyStrategy = (typeof STRATEGIES)[number];

export const CHALLENGE_MODES = ['ecb', 'cbc'] as const;
export type ChallengeMode = (typeof CHALLENGE_MODES)[number];

/** proposed: made, and perhaps on the card; confirmed: known to be on the card. */
export const KEY_STATES = ['proposed', 'confirmed'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** For whom the caller asks. The vault can't check it, and records it before it answers. */
export interface Requester {
  /** Id of the operator or the device, 1 to 200 characters. */
  readonly requestedBy: string;
  /** Id of the caller's request, 1 to 200 characters. */
  readonly requestId: string;
}

export interface VaultHealth {
  readonly ready: true;
  readonly provider: 'file';
  readonly kekVersion: number;
}

/** RFC 7517, P-256. Keys are sealed to it as JWE compact, ECDH-ES+A256KW with A256GCM. */
export interface ImportPublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'enc';
  readonly alg: 'ECDH-ES+A256KW';
}

export interface ImportAdministratorKey extends Requester {
  /** UUID, lower case. */
  readonly cardId: string;
  /** Must be the `cardSerial` of the JWE's protected header. */
  readonly cardSerial: string;
  readonly algorithm: ImportableAlgorithm;
  /** JWE compact; the plaintext is the key in hex digits. */
  readonly jwe: string;
}

export interface ImportedAdministratorKey {
  readonly keyVersion: number;
  /** Key check value: first 3 bytes of the encrypted zero block, upper-case hex. */
  readonly kcv: string;
}

export interface MakeKeyForTpm extends Requester {
  readonly cardId: string;
  readonly strategy: KeyStrategy;
  /** TPM2B_PUBLIC of the storage key that the new key is wrapped to. */
  readonly parentPublic: Uint8Array;
  /** Wrong PINs until the card blocks itself, 1 to 100. Kept by the vault: every reset restores this one. */
  readonly pinLimit: number;
}

/** TPM2_Import's parameters (TPM 2.0 part 3, 13.3) and the key's Name. */
export interface KeyForTpm {
  readonly keyVersion: number;
  readonly name: Uint8Array;
  /** TPM2B_PUBLIC */
  readonly public: Uint8Array;
  /** TPM2B_PRIVATE */
  readonly duplicate: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET */
  readonly inSymSeed: Uint8Array;
}

export interface SignFirstWrite extends Requester {
  readonly cardId: string;
  readonly keyVersion: number;
  /** NV handle, 0x01000000 to 0x01FFFFFF. */
  readonly nvIndex: number;
  /** nonceTPM of the policy session, 16 bytes. */
  readonly nonce: Uint8Array;
}

export interface FirstWriteAnswer {
  /** Raw HMAC-SHA-256 for TPM2_PolicySigned, 32 bytes. */
  readonly answer: Uint8Array;
  /** For TPM2_VerifySignature and TPM2_PolicyAuthorize: lets the user change a PIN that he knows. */
  readonly selfChange: { readonly approvedPolicy: Uint8Array; readonly signature: Uint8Array };
  readonly expirationSeconds: number;
}

export interface ConfirmKey extends Requester {
  readonly cardId: string;
  readonly keyVersion: number;
}

export interface ResetTpmCard extends Requester {
  readonly cardId: string;
  readonly keyVersion: number;
  /** The one of the first write. */
  readonly nvIndex: number;
  /** nonceTPM of the session for NV_ChangeAuth, 16 bytes. */
  readonly resetNonce: Uint8Array;
  /** nonceTPM of the session for NV_Write, 16 bytes. */
  readonly writeNonce: Uint8Array;
}

export interface TpmResetAnswer {
  readonly resetAnswer: Uint8Array;
  readonly writeAnswer: Uint8Array;
  readonly expirationSeconds: number;
}

export interface AnswerChallenge extends Requester {
  readonly cardId: string;
  readonly keyVersion: number;
  /** TDES: 8 to 64 bytes, a multiple of 8. AES: 16 to 64, a multiple of 16. */
  readonly challenge: Uint8Array;
  readonly mode: ChallengeMode;
}

export interface ChallengeAnswer {
  /** As long as the challenge. */
  readonly response: Uint8Array;
}

export interface DescribeKeys extends Requester {
  readonly cardId: string;
}

export interface KeyDescription {
  readonly keyVersion: number;
  readonly algorithm: Algorithm;
  readonly strategy: KeyStrategy;
  readonly state: KeyState;
  readonly kcv: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly pinLimit: number | null;
}

export interface ReadAlerts {
  /** Decimal: those after the alert with this `id`; '0' for all. */
  readonly after: string;
  /** 1 to 500. */
  readonly limit: number;
}

/** Something that an operator should look into. It says what was asked and refused; the record has it under this number. */
export interface Alert {
  /** Decimal, grows. */
  readonly id: string;
  /** `vault-blob-invalid`, `vault-limit-reached`, `vault-record-…`. */
  readonly code: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly operation: string;
  /** All zeros: of no card. */
  readonly cardId: string;
  readonly keyVersion: number | null;
  readonly requestedBy: string;
  readonly requestId: string;
}
