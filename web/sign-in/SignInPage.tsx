import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { safeReturnPath, sessionQuery } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { SignInForm } from './SignInForm.tsx';
import './sign-in.css';

export function SignInPage({ returnPath }: { returnPath: string | undefined }) {
  const queryClient = useQueryClient();
  const router = useRouter();
  useEffect(() => {
    document.title = `${t.signIn.title} · ${t.brand}`;
  }, []);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <p className="brand">
          <img src="/icon.svg" alt="" width="32" height="32" /> {t.brand}
        </p>
        <h1>{t.signIn.title}</h1>
        <SignInForm
          onSignedIn={(session) => {
            queryClient.clear();
            queryClient.setQueryData(sessionQuery.queryKey, session);
            router.history.replace(safeReturnPath(returnPath));
          }}
        />
      </div>
    </main>
  );
}
