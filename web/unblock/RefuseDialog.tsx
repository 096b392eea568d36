import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';

/** Refuses the request of a device; the reason goes on record. */
export function RefuseDialog(props: { unblockSessionId: string; isOpen: boolean; onClose: () => void }) {
  const { unblockSessionId } = props;
  const [reason, setReason] = useState('');
  const [attempted, setAttempted] = useState(false);
  const refuse = useAct({
    perform: (body: { reason: string }, headers) =>
      answerOf(
        api.POST('/api/v1/unblock-sessions/{unblockSessionId}/refusals', {
          params: { path: { unblockSessionId } },
          body,
          headers,
        }),
      ),
    touches: [['unblock-sessions'], ['cards'], ['events']],
    onDone: props.onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (reason.trim() !== '') refuse.mutate({ reason: reason.trim() });
  };
  return (
    <Dialog title={t.approval.refuseTitle} isOpen={props.isOpen} onClose={props.onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <ProblemNote error={refuse.error} />
        <TextInput
          label={t.common.reason}
          value={reason}
          onChange={setReason}
          error={attempted && reason.trim() === '' ? t.common.reasonMissing : undefined}
        />
        <div className="actions">
          <Button type="submit" variant="danger" pending={refuse.isPending}>
            {t.approval.refuseConfirm}
          </Button>
          <Button onPress={props.onClose}>{t.common.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
