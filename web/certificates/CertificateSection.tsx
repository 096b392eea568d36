import { Link } from '@tanstack/react-router';
import type { RecordKind } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Section } from '../ui/Page.tsx';
import { CertificateList } from './CertificateList.tsx';
import type { CertificateFilter } from './certificate-filter.ts';

/** The certificates of one record on its page, and the way to the same list with all its filters. */
export function CertificateSection(props: { filter: CertificateFilter; omit: readonly RecordKind[] }) {
  return (
    <Section
      title={t.certificates.list}
      aside={
        <Link to="/certificates" search={props.filter}>
          {t.certificates.explore}
        </Link>
      }
    >
      <CertificateList {...props} />
    </Section>
  );
}
