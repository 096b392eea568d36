import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { UnblockSession } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { methodLabel } from './method-label.ts';
import { sessionOfCardQuery } from './unblock.queries.ts';

/** The unblock sessions of a card, newest first; one that a device asked for can be decided from here. */
export function SessionList({ cardId }: { cardId: string }) {
  const sessions = useInfiniteQuery(sessionOfCardQuery(cardId));
  return (
    <Listed query={sessions} empty={t.unblock.noSessions}>
      {(items) => <SessionTable sessions={items} />}
    </Listed>
  );
}

export function SessionTable({ sessions }: { sessions: readonly UnblockSession[] }) {
  return (
    <DataTable
      label={t.unblock.sessions}
      rows={sessions}
      columns={[
        { name: t.unblock.opened, cell: (session) => <Time at={session.createdAt} /> },
        { name: t.common.state, cell: (session) => <StateBadge state={session.state} /> },
        { name: t.unblock.origin, cell: (session) => t.unblock.origins[session.origin] },
        { name: t.unblock.openedBy, cell: (session) => session.openedBy?.name ?? '–' },
        {
          name: t.unblock.verifiedBy,
          cell: (session) => (session.verification ? methodLabel(session.verification.method) : '–'),
        },
        { name: t.common.reason, cell: (session) => session.reason ?? '–' },
        { name: t.unblock.act, cell: (session) => <SessionAct session={session} /> },
      ]}
    />
  );
}

function SessionAct({ session }: { session: UnblockSession }) {
  const may = (act: string) => session.allowedActions.some(({ action, allowed }) => action === act && allowed);
  if (session.state === 'requested') {
    return (
      <Link to="/unblock-sessions/$unblockSessionId" params={{ unblockSessionId: session.id }}>
        {may('approve') ? t.approval.decide : t.approval.see}
      </Link>
    );
  }
  if (session.origin === 'operator' && (may('answer') || may('report-outcome'))) {
    return (
      <Link to="/cards/$cardId/unblock" params={{ cardId: session.cardId }} search={{ session: session.id }}>
        {t.unblock.goOn}
      </Link>
    );
  }
  return '–';
}
