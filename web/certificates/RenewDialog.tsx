import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { Certificate, RequestedRenewal } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

/** Has a certificate renewed before its time, and says what follows of it. */
export function RenewDialog(props: { certificate: Certificate; isOpen: boolean; onClose: () => void }) {
  const [asked, setAsked] = useState<RequestedRenewal | null>(null);
  const certificateId = props.certificate.id;
  const close = () => {
    setAsked(null);
    props.onClose();
  };
  if (asked !== null) {
    return (
      <Dialog title={t.certificates.renewAsked} isOpen={props.isOpen} onClose={close}>
        <p>{t.certificates.renewKeys[asked.key]}</p>
        <div className="actions">
          <Button onPress={close}>{t.common.close}</Button>
        </div>
      </Dialog>
    );
  }
  return (
    <ReasonDialog
      title={t.certificates.renewTitle}
      isOpen={props.isOpen}
      onClose={close}
      more={{}}
      ticket
      variant="primary"
      confirm={t.certificates.renewConfirm}
      perform={(body, headers) =>
        answerOf(
          api.POST('/api/v1/certificates/{certificateId}/renewals', {
            params: { path: { certificateId } },
            body,
            headers,
          }),
        )
      }
      touches={[['tasks'], ['events']]}
      onDone={setAsked}
    >
      <p>{t.certificates.renewWhat}</p>
    </ReasonDialog>
  );
}
