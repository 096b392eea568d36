import { Link } from '@tanstack/react-router';
import type { Certificate } from '../app/contract.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Time } from '../ui/Time.tsx';

const texts = t.certificates;

/** Whose a certificate is, what it is, and how it came about. */
export function CertificateFacts({ certificate: found }: { certificate: Certificate }) {
  const { certificateProfile: profile, certificateProfileVersion: version } = found;
  return (
    <Facts
      facts={[
        [
          t.kind.person,
          <RecordLink key="person" kind="person" id={found.person.id}>
            {found.person.displayName}
          </RecordLink>,
        ],
        [
          t.kind.card,
          <RecordLink key="card" kind="card" id={found.card.id}>
            {found.card.serial}
          </RecordLink>,
        ],
        [
          t.kind.device,
          found.device ? (
            <RecordLink key="device" kind="device" id={found.device.id}>
              {found.device.hostName}
            </RecordLink>
          ) : null,
        ],
        [texts.container, found.container],
        [
          texts.profile,
          profile === null ? (
            texts.noProfile
          ) : (
            <span key="profile">
              <Link to="/certificate-profiles/$name" params={{ name: profile }}>
                {profile}
              </Link>{' '}
              {version === null ? null : <span className="soft">{texts.profileVersion(version)}</span>}
            </span>
          ),
        ],
        [texts.assurance, texts.assurances[found.assurance]],
        [texts.authority, found.authority],
        [texts.attestation, texts.attestationState(found.attestation.state, found.attestation.code)],
        [texts.notBefore, found.notBefore ? <Time key="from" at={found.notBefore} exact /> : null],
        [texts.notAfter, found.notAfter ? <Time key="to" at={found.notAfter} exact /> : null],
        [texts.issuer, found.issuer],
        [texts.serialNumber, <code key="serial">{found.serialNumber}</code>],
        [texts.thumbprint, <code key="thumbprint">{found.thumbprint}</code>],
        [texts.publicKey, <code key="key">{found.publicKey}</code>],
        [texts.ignored, found.ignoredRequest.length === 0 ? texts.ignoredNothing : found.ignoredRequest.join(', ')],
      ]}
    />
  );
}
