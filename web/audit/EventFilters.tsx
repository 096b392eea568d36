import { type FormEvent, useState } from 'react';
import { fromLocalInput, toLocalInput } from '../app/local-time.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { type AuditFilter, auditFilterOf } from './audit-filter.ts';

const IDS = ['personId', 'deviceId', 'cardId', 'certificateId', 'actorId'] as const;

export function EventFilters(props: { filter: AuditFilter; onFilter: (filter: AuditFilter) => void }) {
  const [typed, setTyped] = useState<AuditFilter>(props.filter);
  const [from, setFrom] = useState(toLocalInput(props.filter.from));
  const [to, setTo] = useState(toLocalInput(props.filter.to));
  const set = (values: Record<string, string>) => setTyped((before) => ({ ...before, ...values }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onFilter(auditFilterOf({ ...typed, from: fromLocalInput(from), to: fromLocalInput(to) }));
  };
  return (
    <search>
      <form className="filters" onSubmit={submit} noValidate aria-label={t.audit.filters}>
        <TextInput
          label={t.audit.action}
          maxLength={200}
          value={typed.action ?? ''}
          onChange={(action) => set({ action })}
        />
        <SelectInput
          label={t.audit.outcome}
          value={typed.outcome ?? ''}
          options={[
            { value: '', label: t.audit.anyOutcome },
            { value: 'done', label: t.state.done },
            { value: 'refused', label: t.state.refused },
          ]}
          onChange={(outcome) => set({ outcome })}
        />
        <TextInput label={t.audit.from} type="datetime-local" value={from} onChange={setFrom} />
        <TextInput label={t.audit.to} type="datetime-local" value={to} onChange={setTo} />
        {IDS.map((name) => (
          <TextInput
            key={name}
            label={t.audit.ids[name]}
            maxLength={200}
            value={typed[name] ?? ''}
            onChange={(value) => set({ [name]: value })}
          />
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
