import { useQuery } from '@tanstack/react-query';
import type { ApiError } from '../app/api-error.ts';
import { authoritiesQuery } from '../authorities/authorities.queries.ts';
import { en as t } from '../texts/en.ts';
import { Checks } from '../ui/Checks.tsx';
import { Choice } from '../ui/Choice.tsx';
import { KEY_TYPES } from '../ui/key-types.ts';
import { SelectInput } from '../ui/SelectInput.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { daysOf, emailsOf, flagsOf, type Kind, type TypedContents } from './contents.ts';

const texts = t.certificateProfiles;

/** What certificates of a profile say, and for whom. */
export function ContentsFields(props: {
  kind: Kind;
  typed: TypedContents;
  onChange: (typed: TypedContents) => void;
  attempted: boolean;
  refused: ApiError | undefined;
}) {
  const { kind, typed, attempted, refused } = props;
  const set = (some: Partial<TypedContents>) => props.onChange({ ...typed, ...some });
  const authorities = useQuery(authoritiesQuery).data?.items.map(({ name }) => name) ?? [];
  const days = (
    label: string,
    name: 'validityDays' | 'renewalDays' | 'maxKeyAgeDays',
    field: string,
    hint?: string,
  ) => {
    const read = daysOf(typed[name]);
    const wrong = read === undefined || (name === 'validityDays' && read === null);
    return (
      <TextInput
        label={label}
        hint={hint}
        value={typed[name]}
        maxLength={20}
        onChange={(value) => set({ [name]: value })}
        error={attempted && wrong ? texts.numberMissing : refused?.field(field)}
      />
    );
  };
  const text = (
    label: string,
    name: 'containerDefault' | 'domains' | 'organizations',
    field: string,
    hint?: string,
  ) => (
    <TextInput
      label={label}
      hint={hint}
      optional
      value={typed[name]}
      onChange={(value) => set({ [name]: value })}
      error={refused?.field(field)}
    />
  );
  return (
    <>
      <TextInput
        label={texts.displayName}
        value={typed.displayName}
        maxLength={200}
        onChange={(displayName) => set({ displayName })}
        error={attempted && typed.displayName.trim() === '' ? texts.displayNameMissing : refused?.field('displayName')}
      />
      <SelectInput
        label={texts.authority}
        value={typed.authority}
        options={[...new Set([...authorities, typed.authority])].map((value) => ({ value, label: value }))}
        onChange={(authority) => set({ authority })}
      />
      <Checks
        label={texts.keyTypes}
        options={KEY_TYPES.map((value) => ({ value, label: value }))}
        value={typed.keyTypes as (typeof KEY_TYPES)[number][]}
        onChange={(keyTypes) => set({ keyTypes })}
        error={attempted && typed.keyTypes.length === 0 ? texts.keyTypesMissing : refused?.field('keyTypes')}
      />
      <fieldset className="field-group" aria-label={texts.life}>
        <legend>{texts.life}</legend>
        {days(texts.validityDays, 'validityDays', 'validitySeconds')}
        {days(texts.renewalDays, 'renewalDays', 'renewalDays', texts.emptyMeans(texts.renewalDefault))}
        {days(texts.maxKeyAgeDays, 'maxKeyAgeDays', 'maxKeyAgeDays', texts.emptyMeans(texts.anyAge))}
      </fieldset>
      <Choice
        label={texts.renewalKey}
        options={(['same', 'new'] as const).map((value) => ({ value, label: t.cardProfiles.renewalKeys[value] }))}
        value={typed.renewalKey}
        onChange={(renewalKey) => set({ renewalKey })}
        error={refused?.field('renewalKey')}
      />
      <Choice
        label={t.cardProfiles.attestation}
        options={[
          { value: 'default', ...texts.attestationDefault },
          ...(['required', 'preferred', 'off'] as const).map((value) => ({
            value,
            ...t.cardProfiles.attestations[value],
          })),
        ]}
        value={typed.attestation ?? 'default'}
        onChange={(chosen) => set({ attestation: chosen === 'default' ? null : chosen })}
        error={refused?.field('attestation')}
      />
      {flagsOf(kind).length > 0 ? (
        <Checks
          label={texts.names}
          options={flagsOf(kind).map((value) => ({ value, ...texts.nameRules[value] }))}
          value={typed.flags}
          onChange={(flags) => set({ flags })}
          error={refused?.field('names')}
        />
      ) : null}
      {emailsOf(kind).length > 1 ? (
        <Choice
          label={texts.email}
          options={emailsOf(kind).map((value) => ({ value, ...texts.emails[value] }))}
          value={typed.email}
          onChange={(email) => set({ email })}
          error={refused?.field('names/email')}
        />
      ) : null}
      <fieldset className="field-group" aria-label={texts.people}>
        <legend>{texts.people}</legend>
        {text(texts.domains, 'domains', 'people/domains', texts.domainsHint)}
        {text(texts.organizations, 'organizations', 'people/organizations', texts.organizationsHint)}
        {text(texts.container, 'containerDefault', 'containerDefault')}
      </fieldset>
    </>
  );
}
