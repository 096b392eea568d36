type Bytes = Uint8Array;

/**
 * What a device can prove of its own hardware, and sign with an identity that lives there. No word of the technology
 * behind it but the structures that both ends agree on. Every method throws DomainError as the card port's do, and
 * `tpm-endorsement-password-set`.
 */
export interface DeviceAttestation {
  /** What the hardware's maker vouches for, the quickest to use first. Empty where the maker put nothing into it. */
  endorsements(): Promise<readonly Endorsement[]>;
  /** The device's identity: the same each time, on this hardware alone. */
  identity(): Promise<{ readonly public: Bytes; readonly name: Bytes }>;
  /** What the server hid for this very hardware. Throws `credential-refused` if it was hidden for another. */
  activate(endorsement: Endorsement, credential: HiddenCredential): Promise<Bytes>;
  /** That the key to which the vault wraps is this hardware's. */
  proveParent(nonce: Bytes): Promise<ParentProof>;
  /** That a card's key was made in this hardware; undefined for one of which that can't be proven any more. */
  proveKey(card: ProvenCard, key: Bytes, nonce: Bytes): Promise<KeyProof | undefined>;
  /** That the card stands there with its limit of tries. Throws `card-missing`, `card-altered`. */
  proveCard(card: ProvenCard, nonce: Bytes): Promise<Proof>;
  /** Signature of the identity over `message` (at most 1024 bytes): ECDSA P-256 with SHA-256, r and s of 32 bytes each. */
  sign(message: Bytes): Promise<Bytes>;
}

/** Of a CardRecord: where the card stands, and what it is bound to. */
export interface ProvenCard {
  readonly slot: number;
  readonly parentName: Bytes;
  readonly administratorKeyName: Bytes;
}

export interface Endorsement {
  /** Of the maker's key. */
  readonly public: Bytes;
  /** DER */
  readonly certificate: Bytes;
  /** DER: certificates between it and the maker's root, as far as the hardware has them. */
  readonly chain: readonly Bytes[];
}

export interface HiddenCredential {
  readonly credentialBlob: Bytes;
  readonly secret: Bytes;
}

export interface Proof {
  readonly statement: Bytes;
  readonly signature: Bytes;
}

export interface ParentProof extends Proof {
  readonly public: Bytes;
}

export interface KeyProof extends Proof {
  readonly public: Bytes;
  readonly creationData: Bytes;
}
