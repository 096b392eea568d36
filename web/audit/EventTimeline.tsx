import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Listed } from '../ui/Listed.tsx';
import { Section } from '../ui/Page.tsx';
import { eventsQuery } from './audit.queries.ts';
import type { AuditFilter } from './audit-filter.ts';
import { EventEntry } from './EventEntry.tsx';
import './audit.css';

/** What happened to one record, for those who may read the audit log; nothing for others. */
export function EventTimeline({ filter }: { filter: AuditFilter }) {
  const mayRead = useMay(PERMISSION.readAudit);
  const events = useInfiniteQuery({ ...eventsQuery(filter, 20), enabled: mayRead });
  if (!mayRead) return null;
  return (
    <Section
      title={t.audit.timeline}
      aside={
        <Link to="/events" search={filter}>
          {t.audit.explore}
        </Link>
      }
    >
      <Listed query={events} empty={t.audit.none}>
        {(items) => (
          <ol className="timeline" aria-label={t.audit.timeline}>
            {items.map((event) => (
              <EventEntry key={event.id} event={event} />
            ))}
          </ol>
        )}
      </Listed>
    </Section>
  );
}
