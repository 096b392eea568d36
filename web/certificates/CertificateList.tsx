import { useInfiniteQuery } from '@tanstack/react-query';
import type { Certificate } from '../app/contract.ts';
import { type RecordKind, RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import type { CertificateFilter } from './certificate-filter.ts';
import { certificatesQuery } from './certificates.queries.ts';
import { reasonText } from './revocation-reasons.ts';

/** Certificates of a device, card or person, newest first: whose, where, until when, and who revoked what. */
export function CertificateList(props: {
  filter: CertificateFilter;
  /** what all of them have in common needs no column */
  omit: readonly RecordKind[];
  empty?: string;
}) {
  const certificates = useInfiniteQuery(certificatesQuery(props.filter));
  return (
    <Listed query={certificates} empty={props.empty ?? t.certificates.none}>
      {(items) => <CertificateTable certificates={items} omit={props.omit} />}
    </Listed>
  );
}

export function CertificateTable(props: { certificates: readonly Certificate[]; omit: readonly RecordKind[] }) {
  const columns = [
    {
      name: t.certificates.serialNumber,
      cell: (certificate: Certificate) => (
        <RecordLink kind="certificate" id={certificate.id} className="code">
          {certificate.serialNumber ?? t.certificates.noSerial}
        </RecordLink>
      ),
    },
    { name: t.certificates.status, cell: (certificate: Certificate) => <StateBadge state={certificate.status} /> },
    {
      name: t.kind.person,
      of: 'person' as const,
      cell: (certificate: Certificate) => (
        <RecordLink kind="person" id={certificate.person.id}>
          {certificate.person.displayName}
        </RecordLink>
      ),
    },
    {
      name: t.kind.device,
      of: 'device' as const,
      cell: (certificate: Certificate) =>
        certificate.device ? (
          <RecordLink kind="device" id={certificate.device.id}>
            {certificate.device.hostName}
          </RecordLink>
        ) : (
          '–'
        ),
    },
    {
      name: t.kind.card,
      of: 'card' as const,
      cell: (certificate: Certificate) => (
        <RecordLink kind="card" id={certificate.card.id}>
          {certificate.card.serial}
        </RecordLink>
      ),
    },
    {
      name: t.certificates.profile,
      cell: ({ certificateProfile: name }: Certificate) => (name === null ? '–' : <span className="name">{name}</span>),
    },
    { name: t.certificates.issued, cell: (certificate: Certificate) => <Time at={certificate.createdAt} /> },
    {
      name: t.certificates.notAfter,
      cell: (certificate: Certificate) => (certificate.notAfter ? <Time at={certificate.notAfter} /> : '–'),
    },
    { name: t.certificates.revoked, cell: (certificate: Certificate) => <RevokedBy certificate={certificate} /> },
  ];
  return (
    <DataTable
      label={t.certificates.list}
      rows={props.certificates}
      columns={columns.filter((column) => !('of' in column) || !props.omit.includes(column.of))}
    />
  );
}

function RevokedBy({ certificate: { revocation } }: { certificate: Certificate }) {
  if (revocation === null) return '–';
  return (
    <>
      <Time at={revocation.revokedAt} />
      <span className="soft">
        {' '}
        {t.certificates.by(revocation.requestedBy.name, reasonText(revocation.reason))}
        {revocation.state === 'proposed' ? `, ${t.certificates.notHeard}` : null}
      </span>
    </>
  );
}
