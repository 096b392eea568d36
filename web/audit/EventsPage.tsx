import { useInfiniteQuery } from '@tanstack/react-query';
import { en as t } from '../texts/en.ts';
import { Listed } from '../ui/Listed.tsx';
import { Page } from '../ui/Page.tsx';
import { eventsQuery } from './audit.queries.ts';
import type { AuditFilter } from './audit-filter.ts';
import { EventEntry } from './EventEntry.tsx';
import { EventFilters } from './EventFilters.tsx';
import './audit.css';

/** The explorer of events. What it shows is wholly in the address, so that a link shows another the same. */
export function EventsPage(props: { filter: AuditFilter; onFilter: (filter: AuditFilter) => void }) {
  const events = useInfiniteQuery(eventsQuery(props.filter, 50));
  return (
    <Page title={t.audit.title}>
      <EventFilters key={JSON.stringify(props.filter)} filter={props.filter} onFilter={props.onFilter} />
      <Listed query={events} empty={t.audit.noneHere}>
        {(items) => (
          <ol className="timeline" aria-label={t.audit.title}>
            {items.map((event) => (
              <EventEntry key={event.id} event={event} />
            ))}
          </ol>
        )}
      </Listed>
    </Page>
  );
}
