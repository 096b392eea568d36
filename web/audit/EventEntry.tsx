import type { AuditEvent } from '../app/contract.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { inWords } from '../ui/format.ts';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { methodLabel } from '../unblock/method-label.ts';

/** One audit event: when, what, who; all that is recorded of it on demand. */
export function EventEntry({ event }: { event: AuditEvent }) {
  return (
    <li className={`event event-${event.outcome}`}>
      <details>
        <summary>
          <span className="event-time">
            <Time at={event.time} exact />
          </span>
          <span className="event-action">{inWords(event.action)}</span>
          <span className="event-actor">
            {t.audit.actor(event.actor.name, event.actor.role)}
            {event.reason ? <span className="soft"> · {event.reason}</span> : null}
          </span>
          {event.outcome === 'refused' ? <StateBadge state="refused" /> : null}
        </summary>
        <Facts facts={factsOf(event)} />
        <BeforeAndAfter event={event} />
      </details>
    </li>
  );
}

function factsOf(event: AuditEvent): [string, React.ReactNode][] {
  const link = (kind: 'person' | 'card' | 'device' | 'certificate', id: string | null) =>
    id === null ? null : (
      <RecordLink kind={kind} id={id}>
        <code>{id}</code>
      </RecordLink>
    );
  const facts: [string, React.ReactNode][] = [
    [t.audit.action, <code key="action">{event.action}</code>],
    [t.audit.outcome, event.code === null ? event.outcome : `${event.outcome} (${event.code})`],
    [t.kind.person, link('person', event.personId)],
    [t.kind.card, link('card', event.cardId)],
    [t.kind.device, link('device', event.deviceId)],
    [t.kind.certificate, link('certificate', event.certificateId)],
    [t.common.reason, event.reason],
    [t.common.ticket, event.ticket],
    [
      t.audit.verification,
      event.verification ? `${methodLabel(event.verification.method)}: ${event.verification.evidence}` : null,
    ],
    [t.audit.actorId, <code key="actor">{event.actor.id}</code>],
    [t.audit.eventId, <code key="id">{event.id}</code>],
    [t.audit.requestId, <code key="request">{event.requestId}</code>],
  ];
  return facts.filter(([, value]) => value !== null);
}

function BeforeAndAfter({ event }: { event: AuditEvent }) {
  const shown = [
    [t.audit.before, event.before],
    [t.audit.after, event.after],
  ].filter(([, value]) => value !== null && value !== undefined) as [string, unknown][];
  if (shown.length === 0) return null;
  return (
    <div className="before-after">
      {shown.map(([name, value]) => (
        <figure key={name}>
          <figcaption>{name}</figcaption>
          <pre>{JSON.stringify(value, null, 2)}</pre>
        </figure>
      ))}
    </div>
  );
}
