import { Link } from '@tanstack/react-router';
import { en as t } from '../texts/en.ts';
import { Page } from '../ui/Page.tsx';

export function NotFoundPage() {
  return (
    <main>
      <Page title={t.problem.noPage}>
        <Link to="/" search={{}}>
          {t.unblock.toSearch}
        </Link>
      </Page>
    </main>
  );
}
