import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { NewCardProfile } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Choice } from '../ui/Choice.tsx';
import { Page } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { RulesFields } from './RulesFields.tsx';
import { changeOf, NEW_RULES } from './rules.ts';

const texts = t.cardProfiles;
/** A TPM card's key is made for it alone. */
const STRATEGIES = ['random-stored', 'random-not-stored', 'deterministic'] as const;

/** A new kind of TPM cards. (Kinds of minidriver cards name keys of the vault, and are made through the API.) */
export function NewCardProfilePage() {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [keyStrategy, setKeyStrategy] = useState<(typeof STRATEGIES)[number]>('random-stored');
  const [rules, setRules] = useState(NEW_RULES);
  const [attempted, setAttempted] = useState(false);
  const make = useAct({
    perform: (body: NewCardProfile, headers) => answerOf(api.POST('/api/v1/card-profiles', { body, headers })),
    touches: [['card-profiles'], ['events']],
    onDone: (made) => void navigate({ to: '/card-profiles/$name', params: { name: made.name } }),
  });
  const refused = make.error instanceof ApiError ? make.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    const rest = changeOf(rules);
    if (rest !== null && name !== '') make.mutate({ name, algorithm: 'hmac-sha256', keyStrategy, ...rest });
  };
  return (
    <Page title={texts.newTitle}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          label={texts.name}
          hint={texts.nameHint}
          value={name}
          maxLength={64}
          onChange={setName}
          error={attempted && name === '' ? texts.nameMissing : refused?.field('name')}
        />
        <Choice
          label={texts.keyStrategy}
          options={STRATEGIES.map((value) => ({ value, ...texts.strategies[value] }))}
          value={keyStrategy}
          onChange={setKeyStrategy}
          error={refused?.field('keyStrategy')}
        />
        <RulesFields rules={rules} onChange={setRules} attempted={attempted} refused={refused} />
        <ProblemNote error={make.error} />
        <div>
          <Button type="submit" variant="primary" pending={make.isPending}>
            {texts.make}
          </Button>
        </div>
      </form>
    </Page>
  );
}
