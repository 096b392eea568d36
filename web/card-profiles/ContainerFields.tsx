import { useQuery } from '@tanstack/react-query';
import type { ApiError } from '../app/api-error.ts';
import { certificateProfilesQuery } from '../certificate-profiles/certificate-profiles.queries.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { KEY_TYPES } from '../ui/key-types.ts';
import { SelectInput } from '../ui/SelectInput.tsx';
import { FieldProblem, TextInput } from '../ui/TextInput.tsx';
import { NEW_CONTAINER, type Rules } from './rules.ts';

const MOST = 30;
const texts = t.cardProfiles;
const plain = (value: string) => ({ value, label: value });

/** The keys of a card: each in a container of its own, with what its certificate says. */
export function ContainerFields(props: {
  containers: Rules['containers'];
  onChange: (containers: Rules['containers']) => void;
  attempted: boolean;
  refused: ApiError | undefined;
}) {
  const { containers, onChange, refused } = props;
  const known = useQuery(certificateProfilesQuery).data?.items.map(({ name }) => name) ?? [];
  const set = (at: number, some: Partial<Rules['containers'][number]>) =>
    onChange(containers.map((one, index) => (index === at ? { ...one, ...some } : one)));
  return (
    <fieldset className="field-group" aria-label={texts.containers}>
      <legend>{texts.containers}</legend>
      {containers.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a container is its place until it has a name
        <fieldset key={at} className="field-row" aria-label={texts.containerNumber(at + 1)}>
          <TextInput
            label={texts.container}
            value={one.container}
            maxLength={32}
            onChange={(container) => set(at, { container })}
            error={
              props.attempted && one.container === ''
                ? texts.containerMissing
                : refused?.field(`containers/${at}/container`)
            }
          />
          <SelectInput
            label={texts.keyType}
            value={one.keyType}
            options={KEY_TYPES.map(plain)}
            onChange={(keyType) => set(at, { keyType })}
          />
          <SelectInput
            label={texts.certificateProfile}
            value={one.certificateProfile}
            options={[...new Set([...known, one.certificateProfile])].map(plain)}
            onChange={(certificateProfile) => set(at, { certificateProfile })}
          />
          {containers.length > 1 ? (
            <Button variant="quiet" onPress={() => onChange(containers.filter((_, index) => index !== at))}>
              {texts.remove(one.container || texts.containerNumber(at + 1))}
            </Button>
          ) : null}
          <FieldProblem
            id={`container-${at}`}
            error={refused?.field(`containers/${at}/keyType`) ?? refused?.field(`containers/${at}/certificateProfile`)}
          />
        </fieldset>
      ))}
      {containers.length < MOST ? (
        <div>
          <Button onPress={() => onChange([...containers, NEW_CONTAINER])}>{texts.add}</Button>
        </div>
      ) : null}
    </fieldset>
  );
}
