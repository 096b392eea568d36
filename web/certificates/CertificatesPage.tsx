import { Link } from '@tanstack/react-router';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Page } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { CertificateFilters } from './CertificateFilters.tsx';
import { CertificateList } from './CertificateList.tsx';
import type { CertificateFilter } from './certificate-filter.ts';

/** Who had what, and when. What it shows is wholly in the address, so that a link shows another the same. */
export function CertificatesPage(props: { filter: CertificateFilter; onFilter: (filter: CertificateFilter) => void }) {
  const { filter } = props;
  const mayRevoke = useMay(PERMISSION.revokeCertificates);
  return (
    <Page
      title={t.certificates.title}
      aside={
        <nav className="actions" aria-label={t.certificates.more}>
          <Link to="/certificate-profiles">{t.certificateProfiles.title}</Link>
          <Link to="/certificate-expiries">{t.expiries.title}</Link>
          <Link to="/authorities">{t.authorities.title}</Link>
          <Link to="/operations">{t.operations.title}</Link>
          {mayRevoke ? (
            <Link to="/revocation-batches/new" className="button button-secondary">
              {t.batches.title}
            </Link>
          ) : null}
        </nav>
      }
    >
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
