import type { SubjectAltName } from '../x509/subject-alt-name.ts';
import type { Profile } from './profiles.ts';

/** The issuer as its certificate shows it. */
export interface Issuer {
  /** Name, DER. */
  readonly name: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  /** AlgorithmIdentifier of its signatures, DER. */
  readonly signatureAlgorithm: Uint8Array;
  readonly notAfter: Date;
}

/** What a certificate is meant to say, known apart from its bytes. */
export interface Intent {
  readonly profile: Profile;
  /** 16 bytes: the number under which it is recorded. */
  readonly serialNumber: Uint8Array;
  /** SubjectPublicKeyInfo, DER: the key whose possession was proved. */
  readonly publicKey: Uint8Array;
  readonly commonName: string;
  readonly organization?: string;
  /** The names that must appear, and no other may. */
  readonly subjectAltName: SubjectAltName;
  /** A Windows account's SID, for the extension that holds one. */
  readonly securityIdentifier?: string;
  /** null: self-signed (a root). */
  readonly issuer: Issuer | null;
}
