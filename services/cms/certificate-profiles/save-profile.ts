import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import { demandVersion, type ExpectedVersion, stale } from '../kernel/expected-version.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { CertificateProfile, CertificateProfileContents, PeopleRule } from './certificate-profile.ts';
import { judgeProfile } from './judge-profile.ts';
import type { CertificateProfileRecords, IssuingAuthority } from './ports.ts';

export interface SaveProfilePorts {
  readonly certificateProfiles: CertificateProfileRecords;
  readonly authorities: { describe(): readonly IssuingAuthority[] };
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/**
 * The first version of a new profile.
 * @throws DomainError `certificate-profile-invalid` (unprocessable), `certificate-profile-exists` (conflict).
 */
export async function createCertificateProfile(
  ports: SaveProfilePorts,
  intent: Intent,
  name: string,
  input: CertificateProfileContents,
): Promise<CertificateProfile> {
  const contents = normalised(input);
  judgeProfile(contents, ports.authorities.describe());
  const profile = versioned(ports, intent, name, 1, contents);
  await ports.unitOfWork.run(async (tx) => {
    if (!(await ports.certificateProfiles.insert(tx, profile))) {
      const detail = 'There is a certificate profile of this name already.';
      throw new DomainError('conflict', 'certificate-profile-exists', detail);
    }
    await record(ports, tx, intent, 'certificate-profile.created', profile, null);
  });
  return profile;
}

/**
 * The next version, for what is asked for from now on: certificates that were issued stay as they are, and say by which
 * version. What its name stands for, its kind, stays.
 * @throws DomainError `not-found`; `etag-stale`; `certificate-profile-invalid` (unprocessable); `certificate-profile-in-use`
 *   (conflict): a card profile has it for a key of a type that it would not take any more.
 */
export async function changeCertificateProfile(
  ports: SaveProfilePorts,
  intent: Intent,
  name: string,
  expected: ExpectedVersion,
  input: Omit<CertificateProfileContents, 'kind'>,
): Promise<CertificateProfile> {
  return await ports.unitOfWork.run(async (tx) => {
    const before = await ports.certificateProfiles.findIn(tx, name);
    if (before === null) throw profileUnknown();
    demandVersion(expected, before.version);
    const contents = normalised({ ...input, kind: before.kind });
    judgeProfile(contents, ports.authorities.describe());
    await demandUsable(ports, tx, name, contents);
    const profile = versioned(ports, intent, name, before.version + 1, contents);
    if (!(await ports.certificateProfiles.insert(tx, profile))) throw stale();
    await record(ports, tx, intent, 'certificate-profile.changed', profile, before);
    return profile;
  });
}

export function profileUnknown(): DomainError {
  return new DomainError('not-found', 'not-found', 'There is no such certificate profile.');
}

/** Domains are compared in lower case, as user principal names are kept. */
function normalised(contents: CertificateProfileContents): CertificateProfileContents {
  if (contents.people === null) return contents;
  const { organizations, domains } = contents.people;
  const people: PeopleRule = {
    ...(organizations === undefined ? {} : { organizations: organizations.map((one) => one.trim().normalize('NFC')) }),
    ...(domains === undefined ? {} : { domains: domains.map((domain) => domain.normalize('NFC').toLowerCase()) }),
  };
  return { ...contents, people };
}

async function demandUsable(ports: SaveProfilePorts, tx: Tx, name: string, contents: CertificateProfileContents) {
  const uses = await ports.certificateProfiles.usesIn(tx, name);
  const broken = uses.find(({ keyType }) => !contents.keyTypes.some((type) => type === keyType));
  if (broken === undefined) return;
  const { cardProfile, container, keyType } = broken;
  const detail = `The card profile ${cardProfile} has it for a key of ${keyType} (container ${container}): change that first.`;
  const fields = [{ pointer: '/keyTypes', detail }];
  throw new DomainError('conflict', 'certificate-profile-in-use', detail, { fields });
}

function versioned(
  { runtime }: SaveProfilePorts,
  { actor }: Intent,
  name: string,
  version: number,
  contents: CertificateProfileContents,
): CertificateProfile {
  return { ...contents, name, version, createdAt: runtime.now(), createdBy: { id: actor.id, name: actor.name } };
}

async function record(
  { audit }: SaveProfilePorts,
  tx: Tx,
  intent: Intent,
  action: string,
  after: CertificateProfile,
  before: CertificateProfile | null,
): Promise<void> {
  const object = { kind: 'certificate-profile', id: after.name };
  await audit.record(tx, intent, {
    action,
    object,
    ...(before === null ? {} : { before: told(before) }),
    after: told(after),
  });
}

function told({ name: _name, createdAt: _at, createdBy: _by, ...contents }: CertificateProfile) {
  return contents;
}
