import { en as t } from '../texts/en.ts';
import { Page } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { CertificateFilters } from './CertificateFilters.tsx';
import { CertificateList } from './CertificateList.tsx';
import type { CertificateFilter } from './certificate-filter.ts';

/** Who had what, and when. What it shows is wholly in the address, so that a link shows another the same. */
export function CertificatesPage(props: { filter: CertificateFilter; onFilter: (filter: CertificateFilter) => void }) {
  const { filter } = props;
  return (
    <Page title={t.certificates.title}>
      <CertificateFilters key={JSON.stringify(filter)} filter={filter} onFilter={props.onFilter} />
      {filter.asOf === undefined ? null : (
        <p>
          {t.certificates.asOfShown} <Time at={filter.asOf} exact />
        </p>
      )}
      <CertificateList filter={filter} omit={[]} empty={t.certificates.noneHere} />
    </Page>
  );
}
