import { answerOf, api } from '../app/api.ts';
import type { Enrolment } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

/** Makes an open enrolment code useless. */
export function CancelEnrolmentDialog(props: { enrolment: Enrolment; onClose: () => void }) {
  const enrolmentId = props.enrolment.id;
  return (
    <ReasonDialog
      title={t.enrolments.cancelTitle}
      isOpen
      onClose={props.onClose}
      more={{}}
      confirm={t.enrolments.cancelConfirm}
      dismiss={t.common.close}
      perform={({ reason }, headers) =>
        answerOf(
          api.POST('/api/v1/enrolments/{enrolmentId}/cancellations', {
            params: { path: { enrolmentId } },
            body: { reason },
            headers,
          }),
        )
      }
      touches={[['enrolments'], ['events']]}
    />
  );
}
