import { answerOf, api } from '../app/api.ts';
import { en as t } from '../texts/en.ts';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

/** Refuses the request of a device; the reason goes on record. */
export function RefuseDialog(props: { unblockSessionId: string; isOpen: boolean; onClose: () => void }) {
  const { unblockSessionId, isOpen, onClose } = props;
  return (
    <ReasonDialog
      title={t.approval.refuseTitle}
      isOpen={isOpen}
      onClose={onClose}
      more={{}}
      confirm={t.approval.refuseConfirm}
      perform={({ reason }, headers) =>
        answerOf(
          api.POST('/api/v1/unblock-sessions/{unblockSessionId}/refusals', {
            params: { path: { unblockSessionId } },
            body: { reason },
            headers,
          }),
        )
      }
      touches={[['unblock-sessions'], ['cards'], ['events']]}
    />
  );
}
