import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { SignInAgain } from '../sign-in/SignInAgain.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { answerOf, api } from './api.ts';
import { PERMISSION, useMay, useSession } from './session.ts';
import { useSearchKeys } from './use-search-keys.ts';
import './shell.css';

/** What stands around every page of somebody who is signed in. */
export function Shell() {
  const session = useSession();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const mayReadAudit = useMay(PERMISSION.readAudit);
  const mayReadCards = useMay(PERMISSION.readCards);
  const mayReadCertificates = useMay(PERMISSION.readCertificates);
  const mayReadUnblock = useMay(PERMISSION.readUnblock);
  useSearchKeys();
  const signOut = useMutation({
    retry: false,
    mutationFn: () => answerOf(api.DELETE('/api/v1/session', {})),
    onSuccess: () => {
      queryClient.clear();
      void navigate({ to: '/sign-in', search: {} });
    },
  });
  return (
    <>
      <a className="skip-link" href="#content">
        {t.shell.skip}
      </a>
      <header className="bar">
        <Link to="/" search={{}} className="brand">
          <img src="/icon.svg" alt="" width="26" height="26" /> {t.brand}
        </Link>
        <nav aria-label={t.shell.navigation}>
          <Link
            to="/"
            search={{}}
            activeOptions={{ exact: true, includeSearch: false }}
            aria-keyshortcuts="/ Control+K"
          >
            {t.shell.search}{' '}
            <span className="key" aria-hidden="true">
              /
            </span>
          </Link>
          {mayReadUnblock ? <Link to="/work-queue">{t.workQueue.title}</Link> : null}
          {mayReadCertificates ? (
            <Link to="/certificates" search={{}} activeOptions={{ includeSearch: false }}>
              {t.certificates.title}
            </Link>
          ) : null}
          {mayReadCards ? <Link to="/card-profiles">{t.cardProfiles.title}</Link> : null}
          {mayReadAudit ? (
            <Link to="/events" search={{}} activeOptions={{ includeSearch: false }}>
              {t.audit.title}
            </Link>
          ) : null}
        </nav>
        {session ? (
          <div className="who">
            <span>
              {session.operator.displayName}
              <span className="who-role">
                {t.shell.roles[session.operator.role as keyof typeof t.shell.roles] ?? session.operator.role}
              </span>
            </span>
            <Button variant="quiet" pending={signOut.isPending} onPress={() => signOut.mutate()}>
              {t.shell.signOut}
            </Button>
          </div>
        ) : null}
      </header>
      <main id="content">
        <ProblemNote error={signOut.error} />
        <Outlet />
      </main>
      <footer className="foot">
        <a href="/third-party-notices.txt">{t.shell.notices}</a>
      </footer>
      <SignInAgain />
    </>
  );
}
