import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { formatMonth } from '../ui/format.ts';
import { Loaded } from '../ui/Loaded.tsx';
import { Page } from '../ui/Page.tsx';
import { expiriesQuery } from './expiries.queries.ts';
import './expiries.css';

const texts = t.expiries;

/** When certificates end, by month: the numbers as a table, and beside each a bar that says no more than they do. */
export function ExpiriesPage() {
  const expiries = useQuery(expiriesQuery);
  return (
    <Page title={texts.title}>
      <p className="lead">{texts.lead}</p>
      <Loaded query={expiries}>
        {({ items }) => {
          if (items.length === 0) return <p className="empty">{texts.none}</p>;
          const most = Math.max(...items.map(({ count }) => count));
          return (
            <DataTable
              label={texts.title}
              rows={items.map((one) => ({ ...one, id: one.month }))}
              columns={[
                {
                  name: texts.month,
                  cell: ({ month }) => (
                    <Link to="/certificate-expiries/$month" params={{ month }}>
                      {formatMonth(month)}
                    </Link>
                  ),
                },
                { name: texts.count, cell: ({ count }) => count },
                { name: texts.share, cell: ({ count }) => <Bar share={count / most} /> },
                {
                  name: texts.profiles,
                  cell: ({ profiles }) =>
                    profiles
                      .map((one) => texts.profileCount(one.certificateProfile ?? texts.noProfile, one.count))
                      .join(', '),
                },
              ]}
            />
          );
        }}
      </Loaded>
    </Page>
  );
}

/** @param share of the longest bar, above 0 to 1 */
function Bar({ share }: { share: number }) {
  return (
    <svg className="bar-of" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.max(share * 100, 1)} height="10" />
    </svg>
  );
}
