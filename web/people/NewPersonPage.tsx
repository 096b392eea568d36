import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Page } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';

interface NewPerson {
  displayName: string;
  userPrincipalName: string;
  email?: string;
}

export function NewPersonPage() {
  const navigate = useNavigate();
  const [displayName, setDisplayName] = useState('');
  const [userPrincipalName, setUserPrincipalName] = useState('');
  const [email, setEmail] = useState('');
  const [attempted, setAttempted] = useState(false);
  const make = useAct({
    perform: (body: NewPerson, headers) => answerOf(api.POST('/api/v1/people', { body, headers })),
    touches: [['people'], ['search'], ['events']],
    onDone: (person) => void navigate({ to: '/people/$personId', params: { personId: person.id } }),
  });
  const refused = make.error instanceof ApiError ? make.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (displayName.trim() === '' || userPrincipalName.trim() === '') return;
    make.mutate({
      displayName: displayName.trim(),
      userPrincipalName: userPrincipalName.trim(),
      ...(email.trim() === '' ? {} : { email: email.trim() }),
    });
  };
  return (
    <Page title={t.people.newTitle}>
      <form className="stack narrow" onSubmit={submit} noValidate>
        <ProblemNote error={make.error} />
        <TextInput
          label={t.people.displayName}
          maxLength={200}
          value={displayName}
          onChange={setDisplayName}
          error={attempted && displayName.trim() === '' ? t.people.displayNameMissing : refused?.field('displayName')}
        />
        <TextInput
          label={t.people.userPrincipalName}
          hint={t.people.userPrincipalNameHint}
          maxLength={320}
          value={userPrincipalName}
          onChange={setUserPrincipalName}
          error={
            attempted && userPrincipalName.trim() === ''
              ? t.people.userPrincipalNameMissing
              : refused?.field('userPrincipalName')
          }
        />
        <TextInput
          label={t.people.email}
          optional
          type="email"
          maxLength={320}
          value={email}
          onChange={setEmail}
          error={refused?.field('email')}
        />
        <div>
          <Button type="submit" variant="primary" pending={make.isPending}>
            {t.people.make}
          </Button>
        </div>
      </form>
    </Page>
  );
}
