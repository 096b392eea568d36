import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CertificateTable } from '../certificates/CertificateList.tsx';
import { en as t } from '../texts/en.ts';
import { formatMonth } from '../ui/format.ts';
import { Listed } from '../ui/Listed.tsx';
import { Page } from '../ui/Page.tsx';
import { endingQuery } from './expiries.queries.ts';

/** The certificates that end in a month, the one that ends first first. */
export function EndingPage({ month }: { month: string }) {
  const ending = useInfiniteQuery(endingQuery(month));
  return (
    <Page
      title={t.expiries.inMonth(formatMonth(month))}
      aside={<Link to="/certificate-expiries">{t.expiries.all}</Link>}
    >
      <Listed query={ending} empty={t.expiries.noneInMonth}>
        {(items) => <CertificateTable certificates={items} omit={[]} />}
      </Listed>
    </Page>
  );
}
