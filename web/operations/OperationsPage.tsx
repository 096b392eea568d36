import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { Page } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { operationsQuery } from './operations.queries.ts';
import { selectionText } from './selection.ts';

const texts = t.operations;

/** Work in many parts, newest first. */
export function OperationsPage() {
  const operations = useInfiniteQuery(operationsQuery);
  const mayRevoke = useMay(PERMISSION.revokeCertificates);
  return (
    <Page
      title={texts.title}
      aside={
        mayRevoke ? (
          <Link to="/revocation-batches/new" className="button button-primary">
            {t.batches.title}
          </Link>
        ) : null
      }
    >
      <Listed query={operations} empty={texts.none}>
        {(items) => (
          <DataTable
            label={texts.title}
            rows={items}
            columns={[
              {
                name: texts.one,
                cell: ({ id, input }) => (
                  <Link to="/operations/$operationId" params={{ operationId: id }} search={{}}>
                    {texts.revocation} {selectionText(input)}
                  </Link>
                ),
              },
              { name: t.common.state, cell: ({ state }) => <StateBadge state={state} /> },
              { name: texts.progress, cell: ({ progress }) => texts.progressOf(progress.done, progress.total) },
              { name: t.certificates.comment, cell: ({ reason }) => reason },
              { name: t.tasks.by, cell: ({ requestedBy }) => requestedBy.name },
              { name: t.common.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
            ]}
          />
        )}
      </Listed>
    </Page>
  );
}
