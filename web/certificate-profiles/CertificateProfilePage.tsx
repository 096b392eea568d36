import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { CertificateProfile } from '../app/contract.ts';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { ChangeCertificateProfile } from './ChangeCertificateProfile.tsx';
import { certificateProfileQuery } from './certificate-profiles.queries.ts';
import { contentsOf, flagsOf, typedContents } from './contents.ts';
import { PreviewSection } from './PreviewSection.tsx';
import { VersionList } from './VersionList.tsx';

const texts = t.certificateProfiles;

export function CertificateProfilePage({ name }: { name: string }) {
  const profile = useQuery(certificateProfileQuery(name));
  return <Loaded query={profile}>{({ value, etag }) => <Shown profile={value} etag={etag} />}</Loaded>;
}

function Shown({ profile, etag }: { profile: CertificateProfile; etag: string }) {
  const [changing, setChanging] = useState(false);
  const mayChange = useMay(PERMISSION.createProfiles);
  const { name, kind } = profile;
  const contents = contentsOf(typedContents(profile));
  return (
    <Page
      title={profile.displayName}
      eyebrow={texts.one}
      aside={mayChange && !changing ? <Button onPress={() => setChanging(true)}>{texts.change}</Button> : null}
    >
      {changing ? (
        <ChangeCertificateProfile profile={profile} etag={etag} onClose={() => setChanging(false)} />
      ) : (
        <>
          <Facts facts={factsOf(profile)} />
          {mayChange && contents !== null ? <PreviewSection profile={{ name, kind, ...contents }} /> : null}
          <Section title={texts.versions}>
            <VersionList name={name} />
          </Section>
        </>
      )}
    </Page>
  );
}

function factsOf(profile: CertificateProfile) {
  const { names, people } = profile;
  const carried = [
    ...flagsOf(profile.kind)
      .filter((flag) => names[flag])
      .map((flag) => texts.nameRules[flag].label),
    ...(names.email === 'none' ? [] : [`${texts.email} (${texts.emails[names.email].label})`]),
  ];
  const whom = [...(people?.organizations ?? []), ...(people?.domains ?? [])];
  return [
    [texts.name, <code key="name">{profile.name}</code>],
    [texts.version, profile.version],
    [texts.kind, texts.kinds[profile.kind]],
    [texts.authority, profile.authority],
    [texts.keyTypes, profile.keyTypes.join(', ')],
    [texts.validity, texts.days(Math.round(profile.validitySeconds / 8_640) / 10)],
    [texts.renewal, profile.renewalDays === null ? texts.renewalDefault : texts.renewalBefore(profile.renewalDays)],
    [texts.renewalKey, t.cardProfiles.renewalKeys[profile.renewalKey]],
    [texts.maxKeyAge, profile.maxKeyAgeDays === null ? texts.anyAge : texts.days(profile.maxKeyAgeDays)],
    [
      t.cardProfiles.attestation,
      profile.attestation === null
        ? texts.attestationDefault.label
        : t.cardProfiles.attestations[profile.attestation].label,
    ],
    [texts.container, profile.containerDefault],
    [texts.names, carried.join(', ')],
    [texts.people, whom.length === 0 ? texts.everybody : whom.join(', ')],
    [texts.since, <Time key="since" at={profile.createdAt} exact />],
    [texts.by, profile.createdBy.name],
  ] as const;
}
