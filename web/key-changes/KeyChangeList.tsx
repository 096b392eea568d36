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

type Act = 'cancel' | 'give-up';

/**
 * Changes of a card's administrator key, newest first. From here one that its device has not begun can be cancelled, and one
 * that its device has given up without knowing the card's key can be given up.
 */
export function KeyChangeList({ cardId }: { cardId: string }) {
  const changes = useInfiniteQuery(keyChangesQuery(cardId));
  const [ending, setEnding] = useState<{ change: KeyChange; act: Act } | null>(null);
  const actOf = (change: KeyChange) =>
    ACTS.find((act) => change.allowedActions.some(({ action, allowed }) => action === act && allowed));
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
                cell: (change) => {
                  const act = actOf(change);
                  if (act === undefined) return '–';
                  return (
                    <Button variant="quiet" onPress={() => setEnding({ change, act })}>
                      {t.keyChanges.ends[act].button}
                    </Button>
                  );
                },
              },
            ]}
          />
        )}
      </Listed>
      {ending ? <EndChangeDialog {...ending} onClose={() => setEnding(null)} /> : null}
    </>
  );
}

const ACTS: readonly Act[] = ['cancel', 'give-up'];
const PATHS = {
  cancel: '/api/v1/administrator-key-changes/{keyChangeId}/cancellations',
  'give-up': '/api/v1/administrator-key-changes/{keyChangeId}/abandonments',
} as const;

const versionsOf = ({ fromVersion, toVersion }: KeyChange) => t.keyChanges.fromTo(fromVersion, toVersion);

function outcomeOf(change: KeyChange) {
  if (change.failure !== null) return change.failure.detail ?? change.failure.code;
  if (change.confirmedAt !== null) return <Time at={change.confirmedAt} />;
  return change.state === 'requested' || change.state === 'offered' ? t.keyChanges.waits[change.state] : '–';
}

function EndChangeDialog({ change, act, onClose }: { change: KeyChange; act: Act; onClose: () => void }) {
  const keyChangeId = change.id;
  const { title, confirm } = t.keyChanges.ends[act];
  return (
    <ReasonDialog
      title={title}
      isOpen
      onClose={onClose}
      more={{}}
      confirm={confirm}
      dismiss={t.common.close}
      perform={({ reason }, headers) =>
        answerOf(api.POST(PATHS[act], { params: { path: { keyChangeId } }, body: { reason }, headers }))
      }
      touches={[['cards'], ['key-changes'], ['tasks'], ['events']]}
    />
  );
}
