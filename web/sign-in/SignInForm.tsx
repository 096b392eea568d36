import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { ApiError } from '../app/api-error.ts';
import type { Session } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';

/** User name and password. What was typed survives a refusal. */
export function SignInForm({ onSignedIn }: { onSignedIn: (session: Session) => void }) {
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState(false);
  const signIn = useMutation<Session, ApiError, { userName: string; password: string }>({
    mutationKey: ['sign-in'],
    retry: false,
    mutationFn: (body) => answerOf(api.POST('/api/v1/session', { body })),
    onSuccess: onSignedIn,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const incomplete = userName.trim() === '' || password === '';
    setMissing(incomplete);
    if (!incomplete) signIn.mutate({ userName: userName.trim(), password });
  };
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <ProblemNote error={signIn.error} />
      <TextInput
        label={t.signIn.userName}
        name="userName"
        autoComplete="username"
        autoFocus
        maxLength={200}
        value={userName}
        onChange={setUserName}
        error={missing && userName.trim() === '' ? t.signIn.userNameMissing : undefined}
      />
      <TextInput
        label={t.signIn.password}
        name="password"
        type="password"
        autoComplete="current-password"
        maxLength={1000}
        value={password}
        onChange={setPassword}
        error={missing && password === '' ? t.signIn.passwordMissing : undefined}
      />
      <div>
        <Button type="submit" variant="primary" pending={signIn.isPending}>
          {t.signIn.submit}
        </Button>
      </div>
    </form>
  );
}
