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

/** Asks why, then shows the PUK of a card, once. It is kept nowhere but in this dialog, and gone when it closes. */
export function PukDialog(props: { card: Card; isOpen: boolean; onClose: () => void }) {
  const [puk, setPuk] = useState<string | null>(null);
  const { serial } = props.card;
  const close = () => {
    setPuk(null);
    props.onClose();
  };
  if (puk === null) {
    return (
      <Dialog title={t.cards.pukTitle(serial)} isOpen={props.isOpen} onClose={close}>
        <PukForm cardId={props.card.id} onShown={setPuk} onClose={close} />
      </Dialog>
    );
  }
  return (
    <Dialog title={t.cards.pukIs(serial)} isOpen={props.isOpen} mustAnswer>
      <p className="code-large">{puk}</p>
      <p className="hint">{t.cards.pukOnce}</p>
      <div className="actions">
        <Button onPress={close}>{t.cards.pukDone}</Button>
      </div>
    </Dialog>
  );
}

function PukForm(props: { cardId: string; onShown: (puk: string) => void; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const [attempted, setAttempted] = useState(false);
  const { cardId } = props;
  const disclose = useAct({
    perform: (body: { reason: string; ticket?: string }, headers) =>
      answerOf(api.POST('/api/v1/cards/{cardId}/puk-disclosures', { params: { path: { cardId } }, body, headers })),
    touches: [['cards'], ['events']],
    onDone: ({ puk }) => props.onShown(puk),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (reason.trim() === '') return;
    disclose.mutate({ reason: reason.trim(), ...(ticket.trim() === '' ? {} : { ticket: ticket.trim() }) });
  };
  const refused = disclose.error instanceof ApiError ? disclose.error : undefined;
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p>{t.cards.pukWhat}</p>
      <ProblemNote error={disclose.error} />
      <ReasonFields
        reason={reason}
        ticket={ticket}
        onReason={setReason}
        onTicket={setTicket}
        attempted={attempted}
        refused={{ reason: refused?.field('reason'), ticket: refused?.field('ticket') }}
      />
      <div className="actions">
        <Button type="submit" pending={disclose.isPending}>
          {t.cards.pukConfirm}
        </Button>
        <Button onPress={props.onClose}>{t.common.cancel}</Button>
      </div>
    </form>
  );
}
