import { useQuery } from '@tanstack/react-query';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Section } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { holdsQuery } from './certificates.queries.ts';
import { Telling } from './Telling.tsx';

/** Holds and releases of a certificate, newest first; nothing where there were none. */
export function HoldList({ certificateId, authority }: { certificateId: string; authority: string }) {
  const holds = useQuery(holdsQuery(certificateId));
  if (holds.data === undefined || holds.data.items.length === 0) return null;
  return (
    <Section title={t.certificates.holds}>
      <DataTable
        label={t.certificates.holds}
        rows={holds.data.items}
        columns={[
          { name: t.tasks.what, cell: ({ act }) => t.certificates.holdAct[act] },
          { name: t.certificates.since, cell: ({ takesEffectAt }) => <Time at={takesEffectAt} exact /> },
          { name: t.tasks.by, cell: ({ requestedBy }) => requestedBy.name },
          {
            name: t.certificates.comment,
            cell: ({ comment, ticket }) => (ticket === null ? comment : `${comment} (${ticket})`),
          },
          {
            name: t.certificates.ca,
            cell: (hold) => <Telling told={hold} authority={authority} overtaken={hold.state === 'superseded'} />,
          },
        ]}
      />
    </Section>
  );
}
