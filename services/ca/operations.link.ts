import type { LinkHandler } from '@cardwright/link';
import { DomainError } from '@cardwright/protocol';
import type {
  AuthoritiesAnswer,
  AuthorityAnswer,
  HealthAnswer,
  IssueAnswer,
  ReleaseAnswer,
  RevokeAnswer,
} from './api.ts';
import type { Authority } from './authorities/authority.ts';
import type { Authorities } from './authorities/open.ts';
import { type IssuedCertificate, type IssuePorts, issue } from './issuance/issue.ts';
import { parseFind, parseIssue } from './params.ts';
import { parseRelease, parseRevoke } from './params-status.ts';
import type { CrlPublisher } from './revocation/publish-crl.ts';
import { release, revoke, type StatusPorts } from './revocation/revoke.ts';

export interface OperationPorts {
  readonly authorities: Authorities;
  readonly issue: IssuePorts;
  readonly status: StatusPorts;
  readonly crls: Readonly<Record<'root' | 'issuing', CrlPublisher>>;
  /** Throws when the database does not answer. */
  readonly checkDatabase: () => Promise<void>;
}

/** The operations by the names that {@link CaClient} calls. */
export function operations(ports: OperationPorts): Record<string, LinkHandler> {
  const { root, issuing } = ports.authorities;
  const chain: IssueAnswer['chain'] = [
    issuing.certificate.toString('base64url'),
    root.certificate.toString('base64url'),
  ];
  const answer = (issued: IssuedCertificate): IssueAnswer => ({
    serialNumber: issued.serialNumber.toString('hex'),
    certificate: issued.certificate.toString('base64url'),
    chain,
    notBefore: issued.notBefore.toISOString(),
    notAfter: issued.notAfter.toISOString(),
    ignored: issued.ignored,
  });

  return {
    issue: async (params) => answer(await issue(ports.issue, parseIssue(params))),

    find: async (params) => {
      const found = await ports.issue.store.find(parseFind(params).requestId);
      return found?.state === 'issued' ? answer(found) : null;
    },

    revoke: async (params): Promise<RevokeAnswer> => {
      const { serialNumber, reason, at, invalidityDate } = await revoke(ports.status, parseRevoke(params));
      return {
        serialNumber: serialNumber.toString('hex'),
        reason,
        revokedAt: at.toISOString(),
        invalidityDate: invalidityDate?.toISOString() ?? null,
      };
    },

    release: async (params): Promise<ReleaseAnswer> => {
      const { serialNumber, releasedAt } = await release(ports.status, parseRelease(params));
      return { serialNumber: serialNumber.toString('hex'), releasedAt: releasedAt.toISOString() };
    },

    authorities: async (): Promise<AuthoritiesAnswer> => ({ issuing: describe(issuing), root: describe(root) }),

    health: async (): Promise<HealthAnswer> => {
      await ports.checkDatabase();
      return { ready: true, crls: { root: crlState(ports.crls.root), issuing: crlState(ports.crls.issuing) } };
    },
  };
}

const describe = ({ certificate, subject }: Authority): AuthorityAnswer => ({
  certificate: certificate.toString('base64url'),
  subject,
});

function crlState(publisher: CrlPublisher) {
  const crl = publisher.health();
  if (crl === null) throw new DomainError('unavailable', 'ca-not-ready', 'the first CRL is not made yet: try again');
  return { number: crl.number.toString(), nextUpdate: crl.nextUpdate.toISOString() };
}
