import { type FormEvent, useState } from 'react';
import { fromLocalInput, toLocalInput } from '../app/local-time.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { ASSURANCES, type CertificateFilter, certificateFilterOf, STATUSES } from './certificate-filter.ts';

const texts = t.certificates;
const FIELDS = [
  ['certificateProfile', texts.profile],
  ['authority', texts.authority],
  ['personId', texts.ids.personId],
  ['cardId', texts.ids.cardId],
  ['deviceId', texts.ids.deviceId],
  ['serialNumber', texts.serialNumber],
  ['thumbprint', texts.thumbprint],
  ['publicKey', texts.publicKey],
] as const;
const ANY = { value: '', label: texts.any };

export function CertificateFilters(props: {
  filter: CertificateFilter;
  onFilter: (filter: CertificateFilter) => void;
}) {
  const [typed, setTyped] = useState<Record<string, string | undefined>>({ ...props.filter });
  const [asOf, setAsOf] = useState(toLocalInput(props.filter.asOf));
  const set = (name: string) => (value: string) => setTyped((before) => ({ ...before, [name]: value }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onFilter(certificateFilterOf({ ...typed, asOf: fromLocalInput(asOf) }));
  };
  return (
    <search>
      <form className="filters" onSubmit={submit} noValidate aria-label={t.audit.filters}>
        <TextInput label={texts.asOf} hint={texts.asOfHint} type="datetime-local" value={asOf} onChange={setAsOf} />
        <SelectInput
          label={texts.status}
          value={typed.status ?? ''}
          options={[ANY, ...STATUSES.map((value) => ({ value, label: t.state[value] }))]}
          onChange={set('status')}
        />
        <SelectInput
          label={texts.assurance}
          value={typed.assurance ?? ''}
          options={[ANY, ...ASSURANCES.map((value) => ({ value, label: texts.assurances[value] }))]}
          onChange={set('assurance')}
        />
        {FIELDS.map(([name, label]) => (
          <TextInput key={name} label={label} maxLength={200} value={typed[name] ?? ''} onChange={set(name)} />
        ))}
        <div className="actions">
          <Button type="submit" variant="primary">
            {t.audit.apply}
          </Button>
          <Button onPress={() => props.onFilter({})}>{t.audit.clear}</Button>
        </div>
      </form>
    </search>
  );
}
