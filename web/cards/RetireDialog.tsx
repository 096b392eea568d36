import { answerOf, api } from '../app/api.ts';
import type { Card } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

/** Retires a card for good; its certificates are revoked with it. */
export function RetireDialog({ card, isOpen, onClose }: { card: Card; isOpen: boolean; onClose: () => void }) {
  const cardId = card.id;
  return (
    <ReasonDialog
      title={t.cards.retireTitle(card.serial)}
      isOpen={isOpen}
      onClose={onClose}
      more={{}}
      ticket
      confirm={t.cards.retireConfirm}
      perform={(body, headers) =>
        answerOf(api.POST('/api/v1/cards/{cardId}/retirements', { params: { path: { cardId } }, body, headers }))
      }
      touches={[['cards'], ['certificates'], ['key-changes'], ['tasks'], ['events']]}
    >
      <p>{t.cards.retireWhat}</p>
      {card.kind === 'tpm' && card.device !== null ? <p>{t.cards.retireThere(card.device.hostName)}</p> : null}
    </ReasonDialog>
  );
}
