import { useInfiniteQuery } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';
import { reasonText } from '../certificates/revocation-reasons.ts';
import { Telling } from '../certificates/Telling.tsx';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';

const waiting = pagedQuery(
  ['revocations', 'waiting'],
  (page) => answerOf(api.GET('/api/v1/revocations', { params: { query: { state: 'proposed', ...page } } })),
  { everyMilliseconds: 10_000 },
);

/** Revocations that are decided and of which the CA has not heard: it was away, or would not. */
export function RevocationQueue() {
  const revocations = useInfiniteQuery(waiting);
  return (
    <Listed query={revocations} empty={t.queue.none}>
      {(items) => (
        <DataTable
          label={t.queue.title}
          rows={items}
          columns={[
            {
              name: t.queue.certificate,
              cell: ({ certificateId, serialNumber }) => (
                <RecordLink kind="certificate" id={certificateId} className="code">
                  {serialNumber ?? t.certificates.noSerial}
                </RecordLink>
              ),
            },
            { name: t.common.reason, cell: ({ reason }) => reasonText(reason) },
            { name: t.tasks.by, cell: ({ requestedBy }) => requestedBy.name },
            { name: t.queue.waits, cell: (one) => <Telling told={one} authority={one.authority} /> },
          ]}
        />
      )}
    </Listed>
  );
}
