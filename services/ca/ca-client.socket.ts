import { connectLink } from '@cardwright/link';
import type {
  AuthoritiesAnswer,
  FindParams,
  HealthAnswer,
  IssueAnswer,
  IssueParams,
  ReleaseAnswer,
  ReleaseParams,
  RevokeAnswer,
  RevokeParams,
} from './api.ts';

/**
 * Every call may throw DomainError `ca-unavailable`, `ca-timeout`, `ca-busy` or `ca-database-unavailable` (unavailable);
 * all operations are safe to repeat, so trying again is right.
 */
export interface CaClient {
  /**
   * @throws DomainError `csr-malformed`, `csr-signature-invalid`, `csr-key-not-allowed`, `validity-too-long`,
   * `name-not-of-profile`, `name-required`, `device-name-differs` (unprocessable), `request-id-reused` (conflict),
   * `field-invalid` (invalid)
   */
  issue(params: IssueParams): Promise<IssueAnswer>;
  /** @returns null when nothing was issued for this id (yet). */
  find(params: FindParams): Promise<IssueAnswer | null>;
  /**
   * Holds too. @throws DomainError `certificate-unknown` (not-found), `revoked-at-not-possible`,
   * `invalidity-date-not-possible` (unprocessable), `field-invalid`
   */
  revoke(params: RevokeParams): Promise<RevokeAnswer>;
  /**
   * Ends a hold. @throws DomainError `certificate-not-on-hold` (conflict), `certificate-unknown` (not-found),
   * `released-at-not-possible` (unprocessable), `field-invalid`
   */
  release(params: ReleaseParams): Promise<ReleaseAnswer>;
  authorities(): Promise<AuthoritiesAnswer>;
  /** @throws DomainError `ca-database-unavailable`, `ca-not-ready` (unavailable) */
  health(): Promise<HealthAnswer>;
  close(): Promise<void>;
}

export function connectCa(socketPath: string): CaClient {
  const link = connectLink({ socketPath, service: 'ca' });
  return {
    issue: (params) => link.call('issue', params),
    find: (params) => link.call('find', params),
    revoke: (params) => link.call('revoke', params),
    release: (params) => link.call('release', params),
    authorities: () => link.call('authorities', {}),
    health: () => link.call('health', {}),
    close: () => link.close(),
  };
}
