import type { RevocationReason } from './revocation/reasons.ts';

/** The CA's operations as they cross the link. Bytes are base64url of DER; times RFC 3339, UTC. */

/** What a certificate is for. The CA knows what each kind must say: whoever asks can't order anything else. */
export type CertificateKind =
  | 'smart-card-sign-in'
  | 'tls-client'
  | 'smime-signature'
  | 'smime-encryption'
  | 'document-signature'
  | 'volume-encryption'
  | 'device';

export interface IssueParams {
  /** 1 to 128 printable ASCII characters; the same id always gets the same certificate. */
  readonly requestId: string;
  /** PKCS #10. Only its key is taken over. */
  readonly csr: string;
  readonly profile: CertificateKind;
  /** Each 1 to 64 characters. For a device `commonName` is its host name: a name of `dnsNames` or the first label of one. */
  readonly subject: { readonly commonName: string; readonly organization?: string | undefined };
  /** Which of them a kind may or must have: see issuance/profiles.ts. */
  readonly subjectAltName: {
    /** `user@domain`. */
    readonly userPrincipalName?: string | undefined;
    /**
     * `name@REALM` in ASCII, both in exact case. Left out, a sign-in certificate has the one that its user principal
     * name stands for; null: none.
     */
    readonly kerberosPrincipal?: string | null | undefined;
    readonly email?: string | undefined;
    /** 1 to 10. */
    readonly dnsNames?: readonly string[] | undefined;
  };
  /** `S-1-5-21-…`, of a sign-in certificate only. */
  readonly securityIdentifier?: string | undefined;
  /** From now on; at least 60. */
  readonly validitySeconds: number;
}

export interface IssueAnswer {
  /** 32 lower-case hexadecimal digits. */
  readonly serialNumber: string;
  readonly certificate: string;
  /** The issuing CA's certificate, then the root's. */
  readonly chain: readonly [issuing: string, root: string];
  readonly notBefore: string;
  readonly notAfter: string;
  /**
   * What the CSR asked for beyond its key, and was not taken: `subject`, `extension 2.5.29.17`,
   * `attribute 1.2.840.113549.1.9.7`. At most 20, the last then being `more`.
   */
  readonly ignored: readonly string[];
}

export interface FindParams {
  readonly requestId: string;
}

export interface RevokeParams {
  readonly serialNumber: string;
  /** `certificateHold` puts it on hold: a release ends that, or a final reason takes its place. */
  readonly reason: RevocationReason;
  /** May lie in the past, but not before the certificate begins. */
  readonly revokedAt: string;
  /** Since when its key is known or thought to be in other hands (RFC 5280 5.3.2). Not with a hold. */
  readonly invalidityDate?: string | undefined;
}
/** What stands: this revocation, or the first final one (the first hold) whatever was asked for now. Whole seconds. */
export interface RevokeAnswer {
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  readonly revokedAt: string;
  readonly invalidityDate: string | null;
}

export interface ReleaseParams {
  readonly serialNumber: string;
  /** Not before the hold. The same time again is the same release again. */
  readonly releasedAt: string;
}
export type ReleaseAnswer = ReleaseParams;

export interface AuthorityAnswer {
  readonly certificate: string;
  /** As text, for people: `CN=Cardwright Issuing CA 1a2b3c4d`. */
  readonly subject: string;
}
export interface AuthoritiesAnswer {
  readonly issuing: AuthorityAnswer;
  readonly root: AuthorityAnswer;
}

export interface HealthAnswer {
  readonly ready: true;
  readonly crls: Readonly<Record<'root' | 'issuing', { readonly number: string; readonly nextUpdate: string }>>;
}
export type { RevocationReason };
