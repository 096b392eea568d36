import { useRouter } from '@tanstack/react-router';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Page } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';

/** In place of a page that could not be shown: what happened, and a way to try again. */
export function RouteProblem({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main>
      <Page title={t.problem.title}>
        <ProblemNote error={error instanceof Error ? error : new Error(String(error))} />
        <Button onPress={() => void router.invalidate()}>{t.common.tryAgain}</Button>
      </Page>
    </main>
  );
}
