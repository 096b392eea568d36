import { useQuery } from '@tanstack/react-query';
import { cardQuery } from '../cards/cards.queries.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { ApprovalForm } from './ApprovalForm.tsx';
import { unblockSessionQuery } from './unblock.queries.ts';

/** An unblock session by itself: a request of a device is approved or refused here. */
export function ApprovalPage({ unblockSessionId }: { unblockSessionId: string }) {
  const session = useQuery(unblockSessionQuery(unblockSessionId));
  const cardId = session.data?.cardId;
  const card = useQuery({ ...cardQuery(cardId ?? ''), enabled: cardId !== undefined });
  return (
    <Loaded query={session}>
      {(found) => (
        <Loaded query={card}>
          {(its) => (
            <Page
              title={t.approval.title(its.serial)}
              eyebrow={t.approval.eyebrow}
              aside={<StateBadge state={found.state} />}
            >
              <Facts
                facts={[
                  [
                    t.kind.card,
                    <RecordLink key="card" kind="card" id={its.id}>
                      {its.serial}
                    </RecordLink>,
                  ],
                  [
                    t.cards.person,
                    <RecordLink key="person" kind="person" id={its.person.id}>
                      {its.person.displayName}
                    </RecordLink>,
                  ],
                  [t.cards.device, its.device?.hostName],
                  [t.unblock.opened, <Time key="opened" at={found.createdAt} />],
                  [t.unblock.expires, <Time key="expires" at={found.expiresAt} />],
                  ...(found.state === 'requested'
                    ? []
                    : ([
                        [t.unblock.openedBy, found.openedBy?.name],
                        [t.common.reason, found.reason],
                        [t.common.ticket, found.ticket],
                      ] as const)),
                ]}
              />
              {found.state === 'requested' ? (
                found.allowedActions.some(({ action, allowed }) => action === 'approve' && allowed) ? (
                  <ApprovalForm session={found} card={its} />
                ) : (
                  <p className="empty">{t.approval.mayNotDecide}</p>
                )
              ) : (
                <Section title={t.approval.outcome}>
                  <p role="status">{t.approval.states[found.state]}</p>
                </Section>
              )}
            </Page>
          )}
        </Loaded>
      )}
    </Loaded>
  );
}
