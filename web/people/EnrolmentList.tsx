import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Enrolment } from '../app/contract.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { CancelEnrolmentDialog } from './CancelEnrolmentDialog.tsx';
import { ConfirmPinDialog } from './ConfirmPinDialog.tsx';
import { enrolmentsQuery } from './people.queries.ts';

export function EnrolmentList({ personId }: { personId: string }) {
  const enrolments = useInfiniteQuery(enrolmentsQuery(personId));
  const [confirming, setConfirming] = useState<Enrolment | null>(null);
  const [cancelling, setCancelling] = useState<Enrolment | null>(null);
  const made = (enrolment: Enrolment) => {
    const may = (name: string) => enrolment.allowedActions.some(({ action, allowed }) => action === name && allowed);
    const mayCancel = may('cancel');
    const mayConfirm = may('confirm-initial-pin');
    if (!enrolment.cardId && !mayCancel && !mayConfirm) return '–';
    // a device may have begun and never come back: then there is a card, and still something to cancel
    return (
      <>
        {enrolment.cardId ? (
          <RecordLink kind="card" id={enrolment.cardId}>
            {t.enrolments.toCard}
          </RecordLink>
        ) : null}
        {mayConfirm ? <Button onPress={() => setConfirming(enrolment)}>{t.enrolments.confirm}</Button> : null}
        {mayCancel ? (
          <Button variant="quiet" onPress={() => setCancelling(enrolment)}>
            {t.enrolments.cancel}
          </Button>
        ) : null}
      </>
    );
  };
  return (
    <>
      <Listed query={enrolments} empty={t.enrolments.none}>
        {(items) => (
          <DataTable
            label={t.enrolments.list}
            rows={items}
            columns={[
              { name: t.common.made, cell: (enrolment) => <Time at={enrolment.createdAt} /> },
              { name: t.common.state, cell: (enrolment) => <StateBadge state={enrolment.state} /> },
              { name: t.enrolments.method, cell: ({ method }) => t.cardProfiles.methods[method].label },
              {
                name: t.enrolments.initialPin,
                cell: ({ initialPinState }) => t.enrolments.initialPinStates[initialPinState],
              },
              { name: t.enrolments.by, cell: (enrolment) => enrolment.createdBy.name },
              { name: t.enrolments.expires, cell: (enrolment) => <Time at={enrolment.expiresAt} /> },
              { name: t.enrolments.result, cell: made },
            ]}
          />
        )}
      </Listed>
      {confirming ? <ConfirmPinDialog enrolment={confirming} onClose={() => setConfirming(null)} /> : null}
      {cancelling ? <CancelEnrolmentDialog enrolment={cancelling} onClose={() => setCancelling(null)} /> : null}
    </>
  );
}
