import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { CardProfile } from '../app/contract.ts';
import { PERMISSION, useMay } from '../app/session.ts';
import { CardWarnings } from '../cards/CardWarnings.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { DataTable } from '../ui/DataTable.tsx';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { ChangeCardProfile } from './ChangeCardProfile.tsx';
import { cardProfileQuery } from './card-profiles.queries.ts';
import { rulesOf } from './rules.ts';

export function CardProfilePage({ name }: { name: string }) {
  const profile = useQuery(cardProfileQuery(name));
  return <Loaded query={profile}>{({ value, etag }) => <Shown profile={value} etag={etag} />}</Loaded>;
}

function Shown({ profile, etag }: { profile: CardProfile; etag: string }) {
  const [changing, setChanging] = useState(false);
  const mayChange = useMay(PERMISSION.createProfiles) && profile.kind === 'tpm';
  return (
    <Page
      title={profile.displayName}
      eyebrow={t.cardProfiles.one}
      aside={mayChange && !changing ? <Button onPress={() => setChanging(true)}>{t.cardProfiles.change}</Button> : null}
    >
      <CardWarnings card={{ ...profile, takeOverPending: false, state: 'created' }} />
      {changing ? (
        <ChangeCardProfile profile={profile} etag={etag} onClose={() => setChanging(false)} />
      ) : (
        <Rules profile={profile} />
      )}
    </Page>
  );
}

function Rules({ profile }: { profile: CardProfile }) {
  const { kind, pinPolicy } = rulesOf(profile);
  const texts = t.cardProfiles;
  const common: readonly (readonly [string, string | number | null])[] = [
    [texts.name, profile.name],
    [texts.kind, texts.kinds[kind]],
    [texts.keyStrategy, texts.strategies[profile.keyStrategy].label],
    [texts.keyRotation, profile.keyRotationDays === null ? texts.never : texts.days(profile.keyRotationDays)],
  ];
  if (kind === 'minidriver') {
    return (
      <Facts
        facts={[
          ...common,
          [texts.algorithm, profile.algorithm],
          [texts.namedKey, profile.namedKey],
          ['PUK', profile.puk],
        ]}
      />
    );
  }
  const yes = (value: boolean) => (value ? texts.refused : texts.allowed);
  return (
    <>
      <Facts
        facts={[
          ...common,
          [texts.attestation, texts.attestations[profile.attestation].label],
          [texts.enrolmentMethods, profile.enrolmentMethods.map((one) => texts.methods[one].label).join(', ')],
          [texts.initialPin, texts.initialPins[profile.initialPin].label],
          [texts.selfService, profile.selfServiceUnblock ? texts.selfServiceOn : texts.selfServiceOff],
          [texts.pinLimit, profile.pinLimit],
          [texts.pinLength, texts.lengths(pinPolicy.minLength, pinPolicy.maxLength)],
          ...(['uppercase', 'lowercase', 'digits', 'special'] as const).map(
            (one) => [texts.characters[one], texts.characterRules[pinPolicy[one]]] as const,
          ),
          [texts.sequences, yes(pinPolicy.refuseSequences)],
          [texts.repeats, yes(pinPolicy.refuseRepeats)],
          [texts.common, yes(pinPolicy.refuseCommon)],
        ]}
      />
      <Section title={texts.containers}>
        <DataTable
          label={texts.containers}
          rows={profile.containers.map((one) => ({ ...one, id: one.container }))}
          columns={[
            { name: texts.container, cell: ({ container }) => container },
            { name: texts.keyType, cell: ({ keyType }) => keyType },
            { name: texts.certificateProfile, cell: ({ certificateProfile }) => certificateProfile },
            { name: texts.renewalKey, cell: ({ renewalKey }) => texts.renewalKeys[renewalKey ?? 'default'] },
          ]}
        />
      </Section>
    </>
  );
}
