import { createHash } from 'node:crypto';
import { DomainError, isDomainError } from '@cardwright/protocol';
import type { CertificateKind } from '../api.ts';
import type { Authority, AuthorityName } from '../authorities/authority.ts';
import type { PublishedAt } from '../x509/extensions.ts';
import { newSerialNumber } from '../x509/serial-number.ts';
import { buildCertificate } from './build.ts';
import type { ProvenRequest } from './csr.ts';
import type { Intent } from './intent.ts';
import { lintCertificate } from './lint.ts';
import { certificateNames, type RequestedNames } from './names.ts';
import { KINDS, type Profile } from './profiles.ts';

/** For clocks that are behind ours: a certificate made now must be good now. */
export const BACKDATED_SECONDS = 300;

export interface IssueRequest {
  readonly requestId: string;
  /** PKCS #10, DER, as it came. */
  readonly csr: Buffer;
  readonly profile: CertificateKind;
  readonly names: RequestedNames;
  /** From now on. */
  readonly validitySeconds: number;
}

export interface Proposal {
  readonly serialNumber: Buffer;
  readonly requestId: string;
  readonly requestSha256: Buffer;
  readonly issuer: AuthorityName;
  readonly profile: string;
  /** TBSCertificate, DER: what will be signed, now or by the start after a crash. */
  readonly body: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** What the CSR asked for and was not taken. */
  readonly ignored: readonly string[];
}

interface Stored {
  readonly serialNumber: Buffer;
  readonly requestSha256: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly ignored: readonly string[];
}
export type IssuedCertificate = Stored & { readonly state: 'issued'; readonly certificate: Buffer };
export type StoredCertificate = IssuedCertificate | (Stored & { readonly state: 'proposed'; readonly body: Buffer });

export interface CertificateStore {
  find(requestId: string): Promise<StoredCertificate | null>;
  /** Durable when it returns. @returns what is stored under the request id: this proposal or an earlier one. */
  propose(proposal: Proposal): Promise<StoredCertificate>;
  /** Durable when it returns. @returns the first completion of this serial number: this certificate or an earlier one. */
  complete(serialNumber: Buffer, certificate: Buffer): Promise<Buffer>;
}

export interface IssuePorts {
  readonly store: CertificateStore;
  /** See {@link provenKey}. */
  readonly prove: (csr: Buffer) => Promise<ProvenRequest>;
  readonly issuing: Authority;
  /** Where the world finds what belongs to a certificate of that serial number: of several CRLs, its own. */
  readonly publishedAt: (serialNumber: Buffer) => PublishedAt;
  readonly now: () => Date;
  readonly random: (bytes: number) => Buffer;
}

/**
 * Issues a certificate, once a request id: the body is stored before it is signed, and a repeat (after a lost answer or a
 * crash) gives the same certificate or signs the same body. What a repeat asks for in `validitySeconds` is not looked at.
 * @throws DomainError `csr-malformed`, `csr-signature-invalid`, `csr-key-not-allowed`, `validity-too-long`
 * `name-not-of-profile`, `name-required`, `device-name-differs` (unprocessable), `request-id-reused` (conflict),
 * `ca-database-unavailable` (unavailable)
 */
export async function issue(ports: IssuePorts, request: IssueRequest): Promise<IssuedCertificate> {
  const profile = KINDS[request.profile];
  const names = certificateNames(profile, request.names);
  const { publicKey, ignored } = await ports.prove(request.csr);
  const intent: Asked = { profile, publicKey, ...names, issuer: ports.issuing };
  const requestSha256 = digestOf(request);
  const row = await proposed(ports, request, { ...intent, ignored }, requestSha256);
  if (!row.requestSha256.equals(requestSha256)) {
    throw new DomainError(
      'conflict',
      'request-id-reused',
      'another certificate was asked for with this request id: a new request needs a new id',
    );
  }
  if (row.state === 'issued') return row;
  const certificate = await ports.issuing.certify(
    lintCertificate(row.body, { ...intent, serialNumber: row.serialNumber }),
  );
  return { ...row, state: 'issued', certificate: await ports.store.complete(row.serialNumber, certificate) };
}

/** What is stored under the request id, by now at the latest. A repeat may ask for a term that is too long by now. */
async function proposed(ports: IssuePorts, request: IssueRequest, intent: Proposed, sha256: Buffer) {
  try {
    return await ports.store.propose(propose(ports, request, intent, sha256));
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'validity-too-long') throw error;
    const earlier = await ports.store.find(request.requestId);
    if (earlier === null) throw error;
    return earlier;
  }
}

/** What a request says of a certificate: all but its serial number. */
type Asked = Omit<Intent, 'serialNumber'>;
type Proposed = Asked & Pick<Proposal, 'ignored'>;

function propose(ports: IssuePorts, request: IssueRequest, intent: Proposed, requestSha256: Buffer): Proposal {
  const { notBefore, notAfter } = validity(ports, request.validitySeconds, intent.profile);
  const serialNumber = newSerialNumber(ports.random);
  const publishedAt = ports.publishedAt(serialNumber);
  return {
    serialNumber,
    requestId: request.requestId,
    requestSha256,
    issuer: ports.issuing.role,
    profile: intent.profile.name,
    body: buildCertificate({ ...intent, serialNumber, notBefore, notAfter, publishedAt }),
    notBefore,
    notAfter,
    ignored: intent.ignored,
  };
}

function validity({ now, issuing }: IssuePorts, seconds: number, profile: Profile) {
  // Certificates know whole seconds; the record must say the same as they do.
  const from = Math.floor(now().getTime() / 1000);
  const notBefore = new Date((from - BACKDATED_SECONDS) * 1000);
  const notAfter = new Date((from + seconds) * 1000);
  const longest = profile.maxValiditySeconds - BACKDATED_SECONDS;
  if (seconds > longest) {
    throw tooLong(`profile ${profile.name} allows at most ${longest} seconds`);
  }
  if (notAfter > issuing.notAfter) {
    throw tooLong(`the issuing CA itself ends at ${issuing.notAfter.toISOString()}; nothing it issues outlives it`);
  }
  return { notBefore, notAfter };
}

const tooLong = (detail: string) => new DomainError('unprocessable', 'validity-too-long', detail);

/** Of what was asked for. Names that came later are added where they are given: older requests keep their digest. */
function digestOf({ csr, profile, names }: IssueRequest): Buffer {
  const { commonName, userPrincipalName = null, email = null, ...later } = names;
  const { organization, kerberosPrincipal, dnsNames, securityIdentifier } = later;
  const given = { organization, kerberosPrincipal, dnsNames, securityIdentifier };
  const added = Object.values(given).some((value) => value !== undefined) ? [given] : [];
  const asked = [csr.toString('base64'), profile, commonName, userPrincipalName, email, ...added];
  return createHash('sha256').update(JSON.stringify(asked)).digest();
}
