import type { CertificateOrder, ContainerRule, PersonNames } from '../certificate-profiles/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Assurance } from './assurance.ts';
import type { Certificate, CertificateStatus, Issued } from './certificate.ts';
import type { CertificateFilters } from './filters.ts';

export interface NewCertificate {
  readonly id: string;
  readonly requestId: string;
  readonly cardId: string;
  readonly deviceId: string;
  readonly personId: string;
  readonly enrolmentId: string | null;
  /** Name of the CA that is asked, now and whenever it is about this certificate. */
  readonly authority: string;
  readonly container: string;
  readonly assurance: Assurance;
  readonly csr: Uint8Array;
  readonly csrHash: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly publicKeyHash: Uint8Array;
  readonly createdAt: Date;
  /** What counted when it was asked for. */
  readonly certificateProfile: string;
  readonly certificateProfileVersion: number;
  readonly ordered: CertificateOrder;
}

/** The part of a record that says what is asked of which CA. */
export type Ordered = Pick<
  NewCertificate,
  'authority' | 'certificateProfile' | 'certificateProfileVersion' | 'ordered'
>;

/** What an order follows from, beside the certificate profile. */
export interface OrderFacts {
  readonly person: PersonNames;
  readonly hostName: string;
  /** Of the card's profile; null: the card has no profile, or its profile has no such container. */
  readonly container: ContainerRule | null;
}

/** What is asked of the CA. The names are those of the person's record: what the CSR says of names is not read. */
export interface IssuanceRequest {
  readonly requestId: string;
  /** PKCS #10, DER, judged. */
  readonly csr: Uint8Array;
  /** The card has a certificate already that this one is to follow. */
  readonly renewal: boolean;
  /** The kind: `smart-card-sign-in`, `tls-client` … */
  readonly profile: string;
  readonly subject: { readonly commonName: string; readonly organization?: string | undefined };
  /** Null where the certificate is to have no such name. */
  readonly subjectAltName: {
    readonly userPrincipalName: string | null;
    /** `name@REALM`, in exact case. */
    readonly kerberosPrincipal: string | null;
    readonly email: string | null;
    readonly dnsNames: readonly string[] | null;
  };
  /** `S-1-5-21-…`, of a sign-in certificate only. */
  readonly securityIdentifier: string | null;
  readonly validitySeconds: number;
}

export interface CertificateRecords {
  insert(tx: Tx, certificate: NewCertificate): Promise<void>;
  find(id: string): Promise<Certificate | null>;
  /** Holds the row until the transaction ends. */
  lock(tx: Tx, id: string): Promise<Certificate | null>;
  /** Newest first. */
  ofEnrolment(tx: Tx, enrolmentId: string): Promise<Certificate[]>;
  /** Proposed, active or on hold; holds the rows. */
  lockLiveOfCard(tx: Tx, cardId: string): Promise<Certificate[]>;
  /** How many records were made for the container since then, whatever came of them. */
  countSince(tx: Tx, cardId: string, container: string, since: Date): Promise<number>;
  setStatus(tx: Tx, id: string, status: CertificateStatus): Promise<void>;
  /** Of a request that is made again: what is known now of whose it will be. */
  setAssurance(tx: Tx, id: string, assurance: Assurance): Promise<void>;
  /** `ignored`: what its request asked for beyond its key, and was not taken over. */
  setIssued(tx: Tx, id: string, issued: Issued, ignored: readonly string[]): Promise<void>;
  setOrdered(tx: Tx, id: string, ordered: Ordered): Promise<void>;
  orderFacts(tx: Tx, of: { cardId: string; deviceId: string; container: string }): Promise<OrderFacts>;
  /** Null when the record was made before orders were stored. */
  issuanceRequest(id: string): Promise<IssuanceRequest | null>;
  /** Proposed and older than `before`, oldest first: what a crash left behind, or a CA that was away. */
  proposedBefore(before: Date, authority: string, limit: number): Promise<string[]>;
}

export interface IssuedChain {
  readonly certificate: Uint8Array;
  /** Issuing first, root last. */
  readonly chain: readonly Uint8Array[];
  /** What the request asked for beyond its key, and was not taken over: `subject`, `extension 2.5.29.17`. */
  readonly ignored: readonly string[];
}

/** The embedded CA's name among the authorities. */
export const EMBEDDED_AUTHORITY = 'embedded';

/** A CA connector: its mandatory core, then what not every CA can do. Serial numbers are hex as in the records. */
export interface CertificateAuthority {
  /**
   * The same requestId gives the same certificate, however often it is asked.
   * @throws DomainError `ca-unavailable` (unavailable): ask again. `ca-answer-…` (internal): what came was recorded and is
   *   revoked. Refusals (unprocessable): asking again ends the same.
   */
  issue(request: IssuanceRequest): Promise<IssuedChain>;
  /** What was issued for the request, or null. */
  find(requestId: string): Promise<IssuedChain | null>;
  /**
   * The first revocation wins: its time comes back. A CA that knows holds takes `certificateHold`, and a final reason after it.
   * @throws DomainError `ca-unavailable`, `revocation-by-hand` (both unavailable): the decision stands, and is told later.
   */
  revoke(
    serialNumber: string,
    reason: string,
    revokedAt: Date,
    invalidityDate?: Date | undefined,
  ): Promise<{ readonly revokedAt: Date }>;
  /** Ends a hold. */
  readonly release?: (serialNumber: string, releasedAt: Date) => Promise<{ readonly releasedAt: Date }>;
  /** Asks the CA whether it is there. @throws DomainError `ca-unavailable`. */
  readonly health?: () => Promise<void>;
  /** Serial numbers of what the CA issued since then, oldest first: what cms does not know of can be found by it. */
  readonly list?: (since: Date, limit: number) => Promise<readonly ListedCertificate[]>;
  /** The CA's current CRL, DER. */
  readonly crl?: () => Promise<Uint8Array>;
}

export interface ListedCertificate {
  readonly certificate: Uint8Array;
  readonly revoked: boolean;
}

/** What an authority can do, for who writes a certificate profile and for the console. */
export interface AuthorityDescription {
  readonly name: string;
  readonly kind: 'embedded' | 'cfssl' | 'est' | 'script';
  /** `by-hand`: the CA can't be told by us; a person revokes there and says so. */
  readonly revocation: 'immediate' | 'by-hand';
  readonly hold: boolean;
  readonly list: boolean;
  readonly crl: boolean;
  /** The certificate kinds it issues. */
  readonly profiles: readonly string[];
  /** The names it can put into a certificate, beside the common name and the organisation. */
  readonly names: readonly NameKind[];
}
export type NameKind = 'userPrincipalName' | 'kerberosPrincipal' | 'email' | 'dnsNames' | 'securityIdentifier';

/** The CAs there are, by name. Which one issues is the certificate profile's; whoever issued also revokes. */
export interface Authorities {
  /** @throws DomainError `authority-unknown` (unavailable): it is not configured, and may be again. */
  of(name: string): CertificateAuthority;
  describe(): readonly AuthorityDescription[];
}

/** Reads DER that others made. */
export interface CertificateReader {
  describe(der: Uint8Array): Issued;
  /**
   * Judges a certification request before anything is recorded of it.
   * @throws DomainError (unprocessable) `csr-malformed`, `csr-signature-invalid`, `csr-key-not-allowed`.
   */
  judgeRequest(csr: Uint8Array, keyType: string): Promise<void>;
  /** SubjectPublicKeyInfo of a request that was judged, in the form in which OpenSSL writes it. */
  publicKeyOf(csr: Uint8Array): Uint8Array;
}

/** A certificate as readers see it, with what it belongs to. */
export interface CertificateView {
  readonly id: string;
  readonly cardId: string;
  readonly deviceId: string;
  readonly personId: string;
  readonly container: string;
  readonly certificateProfile: string | null;
  readonly certificateProfileVersion: number | null;
  readonly authority: string;
  readonly assurance: 'none' | 'low' | 'substantial' | 'high';
  readonly status: CertificateStatus;
  readonly serialNumber: string | null;
  readonly thumbprint: string | null;
  readonly publicKey: string | null;
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
  readonly der: Uint8Array | null;
  readonly createdAt: Date;
  readonly attestation: 'attested' | 'unattested' | 'refused';
  readonly attestationCode: string | null;
  readonly attestedAt: Date | null;
  readonly ignoredRequest: readonly string[];
  readonly revocation: {
    readonly state: 'proposed' | 'confirmed';
    readonly reason: string;
    readonly comment: string;
    readonly revokedAt: Date;
    readonly requestedBy: { readonly id: string; readonly name: string };
    readonly invalidityDate: Date | null;
    /** Why the CA has not heard yet, and when it is asked again. Null once it has. */
    readonly lastError: { readonly code: string; readonly refused: boolean } | null;
    readonly nextAttemptAt: Date | null;
  } | null;
  /** What the CA has not heard of yet. */
  readonly openHold: 'hold' | 'release' | null;
  readonly person: { readonly id: string; readonly displayName: string; readonly userPrincipalName: string };
  readonly device: { readonly id: string; readonly hostName: string };
  readonly card: { readonly id: string; readonly serial: string };
}

export interface CertificateViews {
  find(id: string): Promise<CertificateView | null>;
  /** In the order of `orderOf(filters)`, those after the key `after`; up to `limit`. */
  list(filters: CertificateFilters, now: Date, after: string | null, limit: number): Promise<CertificateView[]>;
}
