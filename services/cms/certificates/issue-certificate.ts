import { createHash } from 'node:crypto';
import { DomainError, isDomainError } from '@cardwright/protocol';
import { type CertificateProfiles, makeOrder } from '../certificate-profiles/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { Assurance } from './assurance.ts';
import { after, type Certificate, certificateNotFound } from './certificate.ts';
import type {
  Authorities,
  CertificateReader,
  CertificateRecords,
  IssuanceRequest,
  IssuedChain,
  Ordered,
} from './ports.ts';

export interface Issuance {
  /**
   * First phase: the record with what is ordered, before the CA hears of it. Part of the caller's transaction. Gives its id.
   * @throws DomainError (unprocessable) `certificate-not-for-person`, `certificate-name-missing`,
   *   `certificate-name-unusable`, `device-name-unusable`, `certificate-profile-unusable`.
   */
  propose(tx: Tx, intent: Intent, wanted: WantedCertificate): Promise<string>;
  /** A request that the CA refused may be made again, with the same record. */
  proposeAgain(tx: Tx, intent: Intent, certificate: Certificate, assurance: Assurance): Promise<void>;
  /**
   * Second phase, in no transaction: asks the CA and records what came of it. Safe to repeat at any point, by
   * anybody: the CA knows the request by its id.
   * @throws DomainError of the CA. When it refused, the record says failed; when it could not be asked, it stays
   *   proposed and the worker asks again.
   */
  settle(intent: Intent, certificateId: string): Promise<IssuedChain>;
}

export interface WantedCertificate {
  readonly cardId: string;
  readonly deviceId: string;
  readonly personId: string;
  readonly enrolmentId: string | null;
  readonly container: string;
  readonly csr: Uint8Array;
  /** What is known of whose it will be. */
  readonly assurance: Assurance;
}

export interface IssuanceDependencies {
  readonly certificates: CertificateRecords;
  readonly certificateProfiles: Pick<CertificateProfiles, 'findIn'>;
  readonly authorities: Authorities;
  readonly reader: CertificateReader;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export const csrHash = (csr: Uint8Array): Uint8Array => createHash('sha256').update(csr).digest();

/** Whether asking again could end otherwise: the CA was away or failed, and did not refuse. */
const mayEndOtherwise = (error: unknown): boolean =>
  !isDomainError(error) || error.kind === 'unavailable' || error.kind === 'internal' || error.kind === 'too-many';

export function createIssuance(deps: IssuanceDependencies): Issuance {
  const { certificates, certificateProfiles, authorities, reader, unitOfWork, audit, runtime } = deps;

  const record = (
    tx: Tx,
    intent: Intent,
    action: string,
    about: AboutCertificate,
    more: Record<string, unknown> = {},
  ) =>
    audit.record(tx, intent, {
      action,
      object: { kind: 'certificate', id: about.id },
      about: {
        certificateId: about.id,
        cardId: about.cardId,
        deviceId: about.deviceId,
        personId: about.personId,
        enrolmentId: about.enrolmentId,
      },
      after: { container: about.container, ...more },
    });

  /** By the newest version of the profile, and the names that stand in the directory now. */
  async function order(tx: Tx, wanted: Pick<WantedCertificate, 'cardId' | 'deviceId' | 'container'>): Promise<Ordered> {
    const { container, person, hostName } = await certificates.orderFacts(tx, wanted);
    if (container === null) throw unusable(`The card's profile has no container ${wanted.container}.`);
    const profile = await certificateProfiles.findIn(tx, container.certificateProfile);
    if (profile === null) throw unusable(`There is no certificate profile ${container.certificateProfile}.`);
    if (!profile.keyTypes.some((type) => type === container.keyType)) {
      throw unusable(`The certificate profile ${profile.name} takes no key of type ${container.keyType}.`);
    }
    return {
      authority: profile.authority,
      certificateProfile: profile.name,
      certificateProfileVersion: profile.version,
      ordered: makeOrder(profile, container, person, hostName),
    };
  }

  /** What was stored. Of a record from before orders were stored: what is stored now. */
  async function requestOf(certificate: Certificate): Promise<IssuanceRequest> {
    const stored = await certificates.issuanceRequest(certificate.id);
    if (stored !== null) return stored;
    await unitOfWork.run(async (tx) => {
      const { authority } = certificate;
      await certificates.setOrdered(tx, certificate.id, { ...(await order(tx, certificate)), authority });
    });
    const made = await certificates.issuanceRequest(certificate.id);
    if (made === null) throw certificateNotFound();
    return made;
  }

  async function fail(intent: Intent, certificateId: string, error: DomainError): Promise<void> {
    await unitOfWork.run(async (tx) => {
      const certificate = await certificates.lock(tx, certificateId);
      if (certificate === null || after('fail', certificate.status) === undefined) return;
      await certificates.setStatus(tx, certificateId, 'failed');
      await record(tx, intent, 'certificate.failed', certificate, { code: error.code });
    });
  }

  async function succeed(intent: Intent, certificateId: string, issued: IssuedChain): Promise<void> {
    const described = reader.describe(issued.certificate);
    await unitOfWork.run(async (tx) => {
      const certificate = await certificates.lock(tx, certificateId);
      // Another run has recorded it: the same certificate, because the CA gives one a request.
      if (certificate === null || after('issue', certificate.status) === undefined) return;
      await certificates.setIssued(tx, certificateId, described, issued.ignored);
      await record(tx, intent, 'certificate.issued', certificate, {
        serialNumber: described.serialNumber,
        thumbprint: described.thumbprint,
        notAfter: described.notAfter.toISOString(),
        ...(issued.ignored.length === 0 ? {} : { ignored: issued.ignored }),
      });
    });
  }

  return {
    async propose(tx, intent, wanted) {
      const id = runtime.newId();
      const requestId = runtime.newId();
      const ordered = await order(tx, wanted);
      await certificates.insert(tx, {
        ...wanted,
        ...ordered,
        id,
        requestId,
        csrHash: csrHash(wanted.csr),
        publicKeyHash: createHash('sha256').update(reader.publicKeyOf(wanted.csr)).digest(),
        createdAt: runtime.now(),
      });
      const { assurance } = wanted;
      await record(tx, intent, 'certificate.requested', { ...wanted, id }, { ...told(ordered), assurance });
      return id;
    },

    async proposeAgain(tx, intent, certificate, assurance) {
      if (after('retry', certificate.status) === undefined) {
        throw new DomainError('conflict', 'certificate-not-failed', `The certificate is ${certificate.status}.`);
      }
      // The CA refused the order: it may be the names or the profile that have been put right since.
      const ordered = await order(tx, certificate);
      await certificates.setOrdered(tx, certificate.id, ordered);
      await certificates.setStatus(tx, certificate.id, 'proposed');
      await certificates.setAssurance(tx, certificate.id, assurance);
      await record(tx, intent, 'certificate.requested', certificate, { ...told(ordered), assurance });
    },

    async settle(intent, certificateId) {
      const certificate = await certificates.find(certificateId);
      if (certificate === null) throw certificateNotFound();
      const authority = authorities.of(certificate.authority);
      if (certificate.status !== 'proposed' && certificate.status !== 'failed') {
        const issued = await authority.find(certificate.requestId);
        if (issued !== null) return issued;
        throw new DomainError('internal', 'certificate-unknown-to-ca', 'The CA does not know a certificate it issued.');
      }
      if (certificate.status === 'failed') {
        throw new DomainError('conflict', 'certificate-failed', 'The CA refused this request; it must be made again.');
      }
      const request = await requestOf(certificate);
      try {
        const issued = await authority.issue(request);
        await succeed(intent, certificateId, issued);
        return issued;
      } catch (error) {
        if (isDomainError(error) && !mayEndOtherwise(error)) await fail(intent, certificateId, error);
        throw error;
      }
    },
  };
}

const told = ({ authority, certificateProfile, certificateProfileVersion }: Ordered) => ({
  authority,
  certificateProfile,
  certificateProfileVersion,
});

const unusable = (detail: string) => new DomainError('unprocessable', 'certificate-profile-unusable', detail);

type AboutCertificate = Omit<WantedCertificate, 'csr'> & { readonly id: string };
