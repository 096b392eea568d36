import { DomainError, type FieldError } from '@cardwright/protocol';
import type { CertificateProfileContents } from './certificate-profile.ts';
import { KIND_RULES, LEAST_VALIDITY_SECONDS, LONGEST_VALIDITY_SECONDS } from './kind-rules.ts';
import type { IssuingAuthority } from './ports.ts';

const DAY_SECONDS = 86_400;

/**
 * Whether certificates could be issued by such a profile, each part of it against the others. All that is wrong is told at once.
 * @throws DomainError `certificate-profile-invalid` (unprocessable), its fields saying what is right.
 */
export function judgeProfile(profile: CertificateProfileContents, authorities: readonly IssuingAuthority[]): void {
  const fields = [...problems(profile, authorities)];
  const [first] = fields;
  if (first === undefined) return;
  throw new DomainError('unprocessable', 'certificate-profile-invalid', first.detail, { fields });
}

function* problems(
  profile: CertificateProfileContents,
  authorities: readonly IssuingAuthority[],
): Generator<FieldError> {
  const { kind, keyTypes, validitySeconds, renewalDays, maxKeyAgeDays } = profile;
  const rule = KIND_RULES[kind];
  for (const [at, type] of keyTypes.entries()) {
    if (!rule.keyTypes.includes(type)) {
      yield { pointer: `/keyTypes/${at}`, detail: `A certificate of ${kind} is for ${rule.keyTypes.join(', ')}.` };
    } else if (keyTypes.indexOf(type) !== at) {
      yield { pointer: `/keyTypes/${at}`, detail: 'Each key type is named once.' };
    }
  }
  if (validitySeconds < LEAST_VALIDITY_SECONDS || validitySeconds > LONGEST_VALIDITY_SECONDS) {
    const detail = `The CA gives certificates for ${LEAST_VALIDITY_SECONDS} to ${LONGEST_VALIDITY_SECONDS} seconds.`;
    yield { pointer: '/validitySeconds', detail };
  }
  if (renewalDays !== null && renewalDays * DAY_SECONDS >= validitySeconds) {
    const detail = "The renewal window is shorter than the certificate's life; else it would be renewed for ever.";
    yield { pointer: '/renewalDays', detail };
  }
  if (maxKeyAgeDays !== null && maxKeyAgeDays * DAY_SECONDS < validitySeconds) {
    yield { pointer: '/maxKeyAgeDays', detail: 'A key may at least become as old as one certificate of it.' };
  }
  yield* nameProblems(profile);
  const authority = authorities.find(({ name }) => name === profile.authority);
  if (authority === undefined) {
    const known = authorities.map(({ name }) => name).join(', ');
    yield { pointer: '/authority', detail: `There is no such certificate authority; there are: ${known}.` };
  } else if (!authority.profiles.includes(kind)) {
    yield { pointer: '/authority', detail: `This certificate authority issues no certificates of ${kind}.` };
  } else {
    for (const name of namesIn(profile)) {
      if (authority.names.includes(name)) continue;
      const pointer = name === 'dnsNames' ? '/authority' : `/names/${name}`;
      yield { pointer, detail: 'This certificate authority can not put it into a certificate.' };
    }
  }
}

/** Of subjectAltName and beside it, by the names that CAs are described with. */
function namesIn({ kind, names: { email, organization: _ofTheSubject, ...others } }: CertificateProfileContents) {
  return [
    ...Object.entries(others).flatMap(([name, wanted]) => (wanted ? [name] : [])),
    ...(email === 'none' ? [] : ['email']),
    ...(kind === 'device' ? ['dnsNames'] : []),
  ];
}

function* nameProblems({ kind, names }: CertificateProfileContents): Generator<FieldError> {
  const rule = KIND_RULES[kind];
  const { email, ...others } = names;
  for (const [name, wanted] of Object.entries(others)) {
    if (wanted && !rule.names.some((allowed) => allowed === name)) {
      yield { pointer: `/names/${name}`, detail: `A certificate of ${kind} can't have it.` };
    }
  }
  if (!rule.email.includes(email)) {
    yield { pointer: '/names/email', detail: `For ${kind} it is: ${rule.email.join(', ')}.` };
  }
  if (kind === 'smart-card-sign-in' && !names.userPrincipalName && !names.kerberosPrincipal) {
    const detail = 'A sign-in needs a name that an account is found by: this or the Kerberos principal.';
    yield { pointer: '/names/userPrincipalName', detail };
  }
}
