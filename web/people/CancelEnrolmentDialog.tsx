import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import type { Enrolment } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';

/** Makes an open enrolment code useless. */
export function CancelEnrolmentDialog(props: { enrolment: Enrolment; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [attempted, setAttempted] = useState(false);
  const enrolmentId = props.enrolment.id;
  const cancel = useAct({
    perform: (body: { reason: string }, headers) =>
      answerOf(
        api.POST('/api/v1/enrolments/{enrolmentId}/cancellations', {
          params: { path: { enrolmentId } },
          body,
          headers,
        }),
      ),
    touches: [['enrolments'], ['events']],
    onDone: props.onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (reason.trim() !== '') cancel.mutate({ reason: reason.trim() });
  };
  return (
    <Dialog title={t.enrolments.cancelTitle} isOpen onClose={props.onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <ProblemNote error={cancel.error} />
        <TextInput
          label={t.common.reason}
          value={reason}
          onChange={setReason}
          error={attempted && reason.trim() === '' ? t.common.reasonMissing : undefined}
        />
        <div className="actions">
          <Button type="submit" variant="danger" pending={cancel.isPending}>
            {t.enrolments.cancelConfirm}
          </Button>
          <Button onPress={props.onClose}>{t.common.close}</Button>
        </div>
      </form>
    </Dialog>
  );
}
