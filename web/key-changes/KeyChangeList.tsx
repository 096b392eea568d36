import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { KeyChange } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { keyChangesQuery } from './key-changes.queries.ts';

/** Changes of a card's administrator key, newest first; one that its device has not begun can be cancelled from here. */
export function KeyChangeList({ cardId }: { cardId: string }) {
  const changes = useInfiniteQuery(keyChangesQuery(cardId));
  const [cancelling, setCancelling] = useState<KeyChange | null>(null);
  const mayCancel = (change: KeyChange) => change.allowedActions.some((act) => act.action === 'cancel' && act.allowed);
  return (
    <>
      <Listed query={changes} empty={t.keyChanges.none}>
        {(items) => (
          <DataTable
            label={t.keyChanges.list}
            rows={items}
            columns={[
              { name: t.keyChanges.asked, cell: (change) => <Time at={change.createdAt} /> },
              { name: t.common.state, cell: (change) => <StateBadge state={change.state} /> },
              { name: t.keyChanges.versions, cell: versionsOf },
              { name: t.keyChanges.cause, cell: (change) => t.keyChanges.causes[change.cause].label },
              { name: t.keyChanges.by, cell: (change) => change.requestedBy.name },
              { name: t.common.reason, cell: (change) => change.reason ?? '–' },
              { name: t.keyChanges.outcome, cell: outcomeOf },
              {
                name: t.keyChanges.act,
                cell: (change) =>
                  mayCancel(change) ? (
                    <Button variant="quiet" onPress={() => setCancelling(change)}>
                      {t.keyChanges.cancel}
                    </Button>
                  ) : (
                    '–'
                  ),
              },
            ]}
          />
        )}
      </Listed>
      {cancelling ? <CancelChangeDialog change={cancelling} onClose={() => setCancelling(null)} /> : null}
    </>
  );
}

const versionsOf = ({ fromVersion, toVersion }: KeyChange) => t.keyChanges.fromTo(fromVersion, toVersion);

function outcomeOf(change: KeyChange) {
  if (change.failure !== null) return change.failure.detail ?? change.failure.code;
  if (change.confirmedAt !== null) return <Time at={change.confirmedAt} />;
  return change.state === 'requested' || change.state === 'offered' ? t.keyChanges.waits[change.state] : '–';
}

function CancelChangeDialog({ change, onClose }: { change: KeyChange; onClose: () => void }) {
  const keyChangeId = change.id;
  return (
    <ReasonDialog
      title={t.keyChanges.cancelTitle}
      isOpen
      onClose={onClose}
      more={{}}
      confirm={t.keyChanges.cancelConfirm}
      dismiss={t.common.close}
      perform={({ reason }, headers) =>
        answerOf(
          api.POST('/api/v1/administrator-key-changes/{keyChangeId}/cancellations', {
            params: { path: { keyChangeId } },
            body: { reason },
            headers,
          }),
        )
      }
      touches={[['cards'], ['key-changes'], ['tasks'], ['events']]}
    />
  );
}
