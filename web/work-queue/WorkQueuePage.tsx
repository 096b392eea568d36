import { useInfiniteQuery } from '@tanstack/react-query';
import { PERMISSION, useMay } from '../app/session.ts';
import { CardList } from '../cards/CardList.tsx';
import { en as t } from '../texts/en.ts';
import { Listed } from '../ui/Listed.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { SessionTable } from '../unblock/SessionList.tsx';
import { requestedSessionsQuery } from '../unblock/unblock.queries.ts';
import { RevocationQueue } from './RevocationQueue.tsx';

/** What waits for a person. */
export function WorkQueuePage() {
  const requests = useInfiniteQuery(requestedSessionsQuery());
  const mayReadCertificates = useMay(PERMISSION.readCertificates);
  return (
    <Page title={t.workQueue.title}>
      <Section title={t.workQueue.requests}>
        <Listed query={requests} empty={t.workQueue.noRequests}>
          {(items) => <SessionTable sessions={items} />}
        </Listed>
      </Section>
      <Section title={t.workQueue.blocked}>
        <CardList filter={{ state: 'blocked' }} empty={t.workQueue.noBlocked} />
      </Section>
      {mayReadCertificates ? (
        <Section title={t.queue.title}>
          <RevocationQueue />
        </Section>
      ) : null}
    </Page>
  );
}
