import type { RevocationReason } from './revocation/reasons.ts';

/** The CA's operations as they cross the link. Bytes are base64url of DER; times RFC 3339, UTC. */

export interface IssueParams {
  /** 1 to 128 printable ASCII characters; the same id always gets the same certificate. */
  readonly requestId: string;
  /** PKCS #10. Only its key is taken over. */
  readonly csr: string;
  readonly profile: 'smart-card-sign-in';
  /** `commonName`: 1 to 64 characters. */
  readonly subject: { readonly commonName: string };
  readonly subjectAltName: { readonly userPrincipalName?: string | undefined; readonly email?: string | undefined };
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
}

export interface FindParams {
  readonly requestId: string;
}

export interface RevokeParams {
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  readonly revokedAt: string;
}
/** Of the first revocation, whatever was asked for now. Whole seconds. */
export type RevokeAnswer = RevokeParams;

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
