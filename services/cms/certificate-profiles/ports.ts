import type { Tx } from '../kernel/unit-of-work.ts';
import type { CertificateProfile } from './certificate-profile.ts';

/** What other capabilities read. Each gives the newest version. */
export interface CertificateProfiles {
  find(name: string): Promise<CertificateProfile | null>;
  /** The same in a transaction of the caller's. */
  findIn(tx: Tx, name: string): Promise<CertificateProfile | null>;
  findVersion(name: string, version: number): Promise<CertificateProfile | null>;
  /** All, by name. */
  list(): Promise<readonly CertificateProfile[]>;
}

/** What a CA is chosen by. */
export interface IssuingAuthority {
  readonly name: string;
  /** The certificate kinds that it issues. */
  readonly profiles: readonly string[];
  /** What it can put into a certificate, beside the subject. */
  readonly names: readonly string[];
}

export interface CertificateProfileRecords extends CertificateProfiles {
  /** All versions, newest first. */
  versions(name: string): Promise<readonly CertificateProfile[]>;
  /** Adds a version. @returns false when there is that version already: somebody else was faster. */
  insert(tx: Tx, profile: CertificateProfile): Promise<boolean>;
  /** The containers of card profiles that refer to it. */
  usesIn(tx: Tx, name: string): Promise<readonly ContainerUse[]>;
}

export interface ContainerUse {
  readonly cardProfile: string;
  readonly container: string;
  readonly keyType: string;
}
