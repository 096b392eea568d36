import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { Card } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

/** Asks why, then shows the PUK of a card, once. It is kept nowhere but in this dialog, and gone when it closes. */
export function PukDialog(props: { card: Card; isOpen: boolean; onClose: () => void }) {
  const [puk, setPuk] = useState<string | null>(null);
  const { serial, id: cardId } = props.card;
  const close = () => {
    setPuk(null);
    props.onClose();
  };
  if (puk === null) {
    return (
      <ReasonDialog
        title={t.cards.pukTitle(serial)}
        isOpen={props.isOpen}
        onClose={close}
        more={{}}
        ticket
        variant="secondary"
        confirm={t.cards.pukConfirm}
        perform={(body, headers) =>
          answerOf(api.POST('/api/v1/cards/{cardId}/puk-disclosures', { params: { path: { cardId } }, body, headers }))
        }
        touches={[['cards'], ['events']]}
        onDone={(shown) => setPuk(shown.puk)}
      >
        <p>{t.cards.pukWhat}</p>
      </ReasonDialog>
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
