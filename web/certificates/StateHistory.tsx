import { useInfiniteQuery } from '@tanstack/react-query';
import type { CertificateState } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { inWords } from '../ui/format.ts';
import { Listed } from '../ui/Listed.tsx';
import { Section } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { historyQuery } from './certificates.queries.ts';
import { reasonText } from './revocation-reasons.ts';

/** Every state a certificate was ever in, as the database itself noted it, newest first. */
export function StateHistory({ certificateId }: { certificateId: string }) {
  const states = useInfiniteQuery(historyQuery(certificateId));
  return (
    <Section title={t.certificates.history}>
      <Listed query={states} empty={t.certificates.historyEmpty}>
        {(items) => (
          <DataTable
            label={t.certificates.history}
            rows={items.map((one) => ({ ...one, id: String(one.number) }))}
            columns={[
              { name: t.certificates.since, cell: ({ since }) => <Time at={since} exact /> },
              { name: t.common.state, cell: ({ status }) => <StateBadge state={status} /> },
              { name: t.certificates.becauseOf, cell: becauseOf },
              { name: t.tasks.by, cell: ({ by }) => by?.actor.name ?? '–' },
              { name: t.common.reason, cell: ({ by }) => by?.reason ?? '–' },
              { name: t.common.ticket, cell: ({ by }) => by?.ticket ?? '–' },
            ]}
          />
        )}
      </Listed>
    </Section>
  );
}

function becauseOf({ decision, by }: CertificateState) {
  const act = by === null ? null : inWords(by.action);
  if (decision === null) return act ?? '–';
  return (
    <>
      {act ?? '–'}{' '}
      <span className="soft">
        ({t.certificates.effective(reasonText(decision.reason))} <Time at={decision.effectiveAt} exact />,{' '}
        {t.state[decision.state].toLowerCase()})
      </span>
    </>
  );
}
