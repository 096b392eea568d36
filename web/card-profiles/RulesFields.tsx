import type { ApiError } from '../app/api-error.ts';
import { en as t } from '../texts/en.ts';
import { Checks } from '../ui/Checks.tsx';
import { Choice } from '../ui/Choice.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { ContainerFields } from './ContainerFields.tsx';
import { CHARACTERS, REFUSALS, type Rules, wholeNumber } from './rules.ts';

const texts = t.cardProfiles;
const labelled = <Value extends string>(of: Readonly<Record<Value, { label: string; hint?: string }>>) =>
  (Object.keys(of) as Value[]).map((value) => ({ value, ...of[value] }));

/** The rules of a profile of TPM cards. */
export function RulesFields(props: {
  rules: Rules;
  onChange: (rules: Rules) => void;
  attempted: boolean;
  refused: ApiError | undefined;
}) {
  const { rules, attempted, refused } = props;
  const set = (some: Partial<Rules>) => props.onChange({ ...rules, ...some });
  const number = (label: string, name: 'pinLimit' | 'minLength' | 'maxLength') => (
    <TextInput
      label={label}
      value={rules[name]}
      maxLength={4}
      onChange={(typed) => set({ [name]: typed })}
      error={
        attempted && wholeNumber(rules[name]) === undefined
          ? texts.numberMissing
          : refused?.field(name === 'pinLimit' ? name : `pinPolicy/${name}`)
      }
    />
  );
  return (
    <>
      <TextInput
        label={texts.displayName}
        value={rules.displayName}
        maxLength={200}
        onChange={(displayName) => set({ displayName })}
        error={attempted && rules.displayName.trim() === '' ? texts.displayNameMissing : refused?.field('displayName')}
      />
      <ContainerFields
        containers={rules.containers}
        onChange={(containers) => set({ containers })}
        attempted={attempted}
        refused={refused}
      />
      <Choice
        label={texts.attestation}
        options={labelled(texts.attestations)}
        value={rules.attestation}
        onChange={(attestation) => set({ attestation })}
        error={refused?.field('attestation')}
      />
      <Checks
        label={texts.enrolmentMethods}
        options={labelled(texts.methods)}
        value={rules.enrolmentMethods}
        onChange={(enrolmentMethods) => set({ enrolmentMethods })}
        error={
          attempted && rules.enrolmentMethods.length === 0 ? texts.methodMissing : refused?.field('enrolmentMethods')
        }
      />
      <Choice
        label={texts.initialPin}
        options={labelled(texts.initialPins)}
        value={rules.initialPin}
        onChange={(initialPin) => set({ initialPin })}
        error={refused?.field('initialPin')}
      />
      <Checks
        label={texts.selfService}
        options={[{ value: 'on', ...texts.selfServiceChoice }]}
        value={rules.selfService ? ['on'] : []}
        onChange={(chosen) => set({ selfService: chosen.length > 0 })}
        error={refused?.field('selfServiceUnblock')}
      />
      <fieldset className="field-group">
        <legend>{texts.pinPolicy}</legend>
        {number(texts.pinLimit, 'pinLimit')}
        {number(texts.minLength, 'minLength')}
        {number(texts.maxLength, 'maxLength')}
        {CHARACTERS.map((one) => (
          <SelectInput
            key={one}
            label={texts.characters[one]}
            value={rules.characters[one]}
            options={(['allowed', 'required', 'disallowed'] as const).map((value) => ({
              value,
              label: texts.characterRules[value],
            }))}
            onChange={(value) =>
              set({ characters: { ...rules.characters, [one]: value as Rules['characters'][typeof one] } })
            }
          />
        ))}
      </fieldset>
      <Checks
        label={texts.refuse}
        options={REFUSALS.map((value) => ({ value, ...texts.refusals[value] }))}
        value={rules.refuse}
        onChange={(refuse) => set({ refuse })}
        error={refused?.field('pinPolicy')}
      />
    </>
  );
}
