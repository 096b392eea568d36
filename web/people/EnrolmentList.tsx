import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Enrolment } from '../app/contract.ts';
import { PERMISSION, useMay } from '../app/session.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { CancelEnrolmentDialog } from './CancelEnrolmentDialog.tsx';
import { enrolmentsQuery } from './people.queries.ts';

export function EnrolmentList({ personId }: { personId: string }) {
  const enrolments = useInfiniteQuery(enrolmentsQuery(personId));
  const mayCancel = useMay(PERMISSION.cancelEnrolments);
  const [cancelling, setCancelling] = useState<Enrolment | null>(null);
  const made = (enrolment: Enrolment) =>
    enrolment.cardId ? (
      <RecordLink kind="card" id={enrolment.cardId}>
        {t.enrolments.toCard}
      </RecordLink>
    ) : mayCancel && enrolment.allowedActions.some((act) => act.action === 'cancel' && act.allowed) ? (
      <Button variant="quiet" onPress={() => setCancelling(enrolment)}>
        {t.enrolments.cancel}
      </Button>
    ) : (
      '–'
    );
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
              { name: t.enrolments.by, cell: (enrolment) => enrolment.createdBy.name },
              { name: t.enrolments.expires, cell: (enrolment) => <Time at={enrolment.expiresAt} /> },
              { name: t.enrolments.result, cell: made },
            ]}
          />
        )}
      </Listed>
      {cancelling ? <CancelEnrolmentDialog enrolment={cancelling} onClose={() => setCancelling(null)} /> : null}
    </>
  );
}
