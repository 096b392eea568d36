/**
 * What the vault does, seen from its callers. On the link, byte strings travel as base64url without padding; a typed
 * client turns them into Uint8Array.
 */
export const ALGORITHMS = ['tdes', 'aes-128', 'aes-192', 'aes-256', 'hmac-sha256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
/** Of cards whose key is known to someone outside before the vault has it: `hmac-sha256` keys are always made here. */
export type ImportableAlgorithm = Exclude<Algorithm, 'hmac-sha256'>;

export const STRATEGIES = ['uniform', 'random-not-stored', 'random-stored', 'deterministic'] as const;
export type KeyStrategy = (typeof STRATEGIES)[number];
/** Of keys that are made here, for a TPM card. A uniform one is never made: two TPM cards never share a key. */
export const TPM_STRATEGIES = ['random-not-stored', 'random-stored', 'deterministic'] as const;
export type TpmStrategy = (typeof TPM_STRATEGIES)[number];

/** How other systems derived the keys of their cards: NXP AN10922 (AES-CMAC), and Dogtag's form of SP 800-108. */
export const FLEET_DERIVATIONS = ['an10922', 'dogtag'] as const;
export type FleetDerivation = (typeof FLEET_DERIVATIONS)[number];

/** Keys that more than one card depends on, and that came from elsewhere. */
export const NAMED_KEY_KINDS = ['uniform-key', 'an10922-master', 'dogtag-master'] as const;
export type NamedKeyKind = (typeof NAMED_KEY_KINDS)[number];

export const CHALLENGE_MODES = ['ecb', 'cbc'] as const;
export type ChallengeMode = (typeof CHALLENGE_MODES)[number];

/** Of a key that is made here for a card that is not in a TPM, and whose key is replaced. */
export const REPLACEMENT_STRATEGIES = ['random-stored', 'deterministic'] as const;
export type ReplacementStrategy = (typeof REPLACEMENT_STRATEGIES)[number];

/**
 * proposed: made, and perhaps on the card; confirmed: known to be on the card; superseded: the card has another one since,
 * and the bytes of this one are destroyed.
 */
export const KEY_STATES = ['proposed', 'confirmed', 'superseded'] as const;
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
  /** Which one holds the active key-encryption key. */
  readonly provider: 'file' | 'pkcs11';
  /** All that are open: more than one while keys move. */
  readonly holders: readonly ('file' | 'pkcs11')[];
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
  /** The card's key is going to be changed at once: then it may be the well-known default key. */
  readonly takeOver?: boolean;
  readonly puk?: SealedPuk;
}

/** A PUK that is taken in together with the key of its card: both are stored, or neither is. */
export interface SealedPuk {
  /** Must be the `cardSerial` of the JWE's protected header. */
  readonly cardSerial: string;
  /** As for importPuk. */
  readonly jwe: string;
}

export interface ImportedAdministratorKey {
  readonly keyVersion: number;
  /** Key check value: first 3 bytes of the encrypted zero block, upper-case hex. */
  readonly kcv: string;
}

export interface ImportNamedKey extends Requester {
  /** 2 to 64 of a-z, 0-9 and hyphen. Must be the `cardSerial` of the JWE's protected header. */
  readonly name: string;
  readonly kind: NamedKeyKind;
  /** Of the cards that depend on it. */
  readonly algorithm: ImportableAlgorithm;
  /** As for an administrator key, with the kind as `typ` of its protected header. */
  readonly jwe: string;
}

export interface NamedKey {
  readonly name: string;
  readonly kind: NamedKeyKind;
  readonly algorithm: ImportableAlgorithm;
  /** Of a master that is no block cipher's key: null. */
  readonly kcv: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

/** Where the key of an existing card is to be had from, when it is not given itself. */
export type KeyOrigin =
  | { readonly strategy: 'uniform'; readonly keyName: string }
  | {
      readonly strategy: 'deterministic';
      readonly derivation: FleetDerivation;
      readonly keyName: string;
      /** What the other system derived by: UID and application, or the CUID. 1 to 31 bytes. */
      readonly diversifier: Uint8Array;
    };

export interface AdoptAdministratorKey extends Requester {
  readonly cardId: string;
  readonly algorithm: ImportableAlgorithm;
  readonly origin: KeyOrigin;
  /** Where it is known: a key with another check value is refused. */
  readonly kcv?: string;
  readonly puk?: SealedPuk;
}

export interface ImportPuk extends Requester {
  readonly cardId: string;
  readonly cardSerial: string;
  /** JWE compact with `typ` puk; the plaintext is the PUK, 4 to 127 visible ASCII characters. */
  readonly jwe: string;
}

export interface ShowPuk extends Requester {
  readonly cardId: string;
}

export interface ShownPuk {
  readonly puk: string;
}

export interface ImportBatchLine {
  readonly cardId: string;
  readonly cardSerial: string;
  readonly algorithm: ImportableAlgorithm;
  /** Either the key itself, sealed, or where it comes from. */
  readonly jwe: string | null;
  readonly origin: KeyOrigin | null;
  /** Where it is known. */
  readonly kcv: string | null;
  /** The card's PUK, sealed. */
  readonly puk: string | null;
  /** As for a single import. */
  readonly takeOver?: boolean;
}

export interface ImportBatch extends Requester {
  /** UUID. The same batch again gives the same answer. */
  readonly batchId: string;
  /** Judge every line and store nothing. */
  readonly dryRun: boolean;
  /** Take in keys that another card has as well. */
  readonly acceptDuplicates: boolean;
  /** 1 to 500. */
  readonly lines: readonly ImportBatchLine[];
}

export interface BatchLine {
  readonly keyVersion: number | null;
  readonly kcv: string | null;
  /** Why this line can't be taken in. */
  readonly code: string | null;
  readonly detail: string | null;
  /** Another card, of this batch or in the vault, has the same key. */
  readonly duplicate: boolean;
}

export interface BatchReport {
  /** All keys are stored; else none of them is. */
  readonly stored: boolean;
  readonly lines: readonly BatchLine[];
}

export interface MakeKeyForTpm extends Requester {
  readonly cardId: string;
  readonly strategy: TpmStrategy;
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

/** A policy that an administrator key allows: TPM2_VerifySignature, then TPM2_PolicyAuthorize with "card:self". */
export interface SignedApproval {
  /** 32 bytes */
  readonly approvedPolicy: Uint8Array;
  /** Raw HMAC-SHA-256 over SHA-256(approvedPolicy || "card:self"), 32 bytes. */
  readonly signature: Uint8Array;
}

export interface ProposeSuccessor extends Requester {
  readonly cardId: string;
  readonly strategy: TpmStrategy;
  /** TPM2B_PUBLIC of the storage key that the card's first key was wrapped to. */
  readonly parentPublic: Uint8Array;
}

export interface ProposedSuccessor extends KeyForTpm {
  /** By the confirmed key: lets this one do what it does. */
  readonly approval: SignedApproval;
  /** By this key: lets the card be tried with it, reading only. */
  readonly rehearsal: SignedApproval;
}

export interface ProposeReplacement extends Requester {
  readonly cardId: string;
  readonly strategy: ReplacementStrategy;
  /** TPM2B_PUBLIC of a storage key of the device that has the card. */
  readonly parentPublic: Uint8Array;
  /** Without it, that of the confirmed key. */
  readonly algorithm?: ImportableAlgorithm;
}

/** TPM2_Import's parameters of a sealed data object: TPM2_Unseal gives the key's bytes. */
export interface ProposedReplacement extends KeyForTpm {
  readonly algorithm: ImportableAlgorithm;
  readonly kcv: string;
}

export interface ConfirmChange extends Requester {
  readonly cardId: string;
  /** A version that was made by proposing. */
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
