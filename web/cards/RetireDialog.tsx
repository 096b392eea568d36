import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Card } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonFields } from '../unblock/ReasonFields.tsx';

/** Retires a card for good; its certificates are revoked with it. */
export function RetireDialog(props: { card: Card; isOpen: boolean; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const [attempted, setAttempted] = useState(false);
  const cardId = props.card.id;
  const retire = useAct({
    perform: (body: { reason: string; ticket?: string }, headers) =>
      answerOf(api.POST('/api/v1/cards/{cardId}/retirements', { params: { path: { cardId } }, body, headers })),
    touches: [['cards'], ['certificates'], ['events']],
    onDone: props.onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (reason.trim() === '') return;
    retire.mutate({ reason: reason.trim(), ...(ticket.trim() === '' ? {} : { ticket: ticket.trim() }) });
  };
  const refused = retire.error instanceof ApiError ? retire.error : undefined;
  return (
    <Dialog title={t.cards.retireTitle(props.card.serial)} isOpen={props.isOpen} onClose={props.onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>{t.cards.retireWhat}</p>
        <ProblemNote error={retire.error} />
        <ReasonFields
          reason={reason}
          ticket={ticket}
          onReason={setReason}
          onTicket={setTicket}
          attempted={attempted}
          refused={{ reason: refused?.field('reason'), ticket: refused?.field('ticket') }}
        />
        <div className="actions">
          <Button type="submit" variant="danger" pending={retire.isPending}>
            {t.cards.retireConfirm}
          </Button>
          <Button onPress={props.onClose}>{t.common.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
