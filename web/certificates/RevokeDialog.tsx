import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Certificate } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Choice } from '../ui/Choice.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { REVOCATION_REASONS, type RevocationReason } from './revocation-reasons.ts';

interface NewRevocation {
  reason: RevocationReason;
  comment: string;
  ticket?: string;
}

/** Revokes a certificate for good. */
export function RevokeDialog(props: { certificate: Certificate; isOpen: boolean; onClose: () => void }) {
  const certificateId = props.certificate.id;
  const [reason, setReason] = useState<RevocationReason | null>(null);
  const [comment, setComment] = useState('');
  const [ticket, setTicket] = useState('');
  const [attempted, setAttempted] = useState(false);
  const revoke = useAct({
    perform: (body: NewRevocation, headers) =>
      answerOf(
        api.POST('/api/v1/certificates/{certificateId}/revocations', {
          params: { path: { certificateId } },
          body,
          headers,
        }),
      ),
    touches: [['certificates'], ['events']],
    onDone: props.onClose,
  });
  const refused = revoke.error instanceof ApiError ? revoke.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (reason === null || comment.trim() === '') return;
    revoke.mutate({ reason, comment: comment.trim(), ...(ticket.trim() === '' ? {} : { ticket: ticket.trim() }) });
  };
  return (
    <Dialog title={t.certificates.revokeTitle} isOpen={props.isOpen} onClose={props.onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>{t.certificates.revokeWhat(props.certificate.subject ?? '', props.certificate.card.serial)}</p>
        <ProblemNote error={revoke.error} />
        <Choice
          label={t.common.reason}
          options={REVOCATION_REASONS.map((value) => ({ value, label: t.certificates.reasons[value] }))}
          value={reason}
          onChange={setReason}
          error={attempted && reason === null ? t.certificates.reasonMissing : refused?.field('reason')}
        />
        <TextInput
          label={t.certificates.comment}
          value={comment}
          onChange={setComment}
          error={attempted && comment.trim() === '' ? t.certificates.commentMissing : refused?.field('comment')}
        />
        <TextInput
          label={t.common.ticket}
          optional
          maxLength={100}
          value={ticket}
          onChange={setTicket}
          error={refused?.field('ticket')}
        />
        <div className="actions">
          <Button type="submit" variant="danger" pending={revoke.isPending}>
            {t.certificates.revokeConfirm}
          </Button>
          <Button onPress={props.onClose}>{t.common.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
