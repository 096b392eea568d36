import { useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { sessionQuery, useSession } from '../app/session.ts';
import { readSignedOut, setSignedOut, subscribeSignedOut } from '../app/signed-out.ts';
import { en as t } from '../texts/en.ts';
import { Dialog } from '../ui/Dialog.tsx';
import { SignInForm } from './SignInForm.tsx';

/**
 * Over the page that was open when the session ended, so that nothing typed in it is lost. When somebody else signs
 * in, the page is loaded anew: it must not show them what the one before them typed or read.
 */
export function SignInAgain() {
  const signedOut = useSyncExternalStore(subscribeSignedOut, readSignedOut);
  const queryClient = useQueryClient();
  const before = useSession();
  return (
    <Dialog title={t.signIn.again} isOpen={signedOut} mustAnswer>
      <p>{t.signIn.againWhy}</p>
      <SignInForm
        onSignedIn={(session) => {
          if (before !== undefined && session.operator.id !== before.operator.id) {
            window.location.reload();
            return;
          }
          queryClient.setQueryData(sessionQuery.queryKey, session);
          setSignedOut(false);
          void queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
        }}
      />
    </Dialog>
  );
}
