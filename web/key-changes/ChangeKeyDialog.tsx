import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { Card, KeyChangeCause } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Choice } from '../ui/Choice.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

/** Has the card's device give it another administrator key, and says what that helps against and what not. */
export function ChangeKeyDialog({ card, isOpen, onClose }: { card: Card; isOpen: boolean; onClose: () => void }) {
  const [chosen, setChosen] = useState<KeyChangeCause | null>(null);
  const [attempted, setAttempted] = useState(false);
  // What is to be said of a card that has yet to be taken over is said already.
  const cause = card.takeOverPending ? 'take-over' : chosen;
  const cardId = card.id;
  const close = () => {
    setChosen(null);
    setAttempted(false);
    onClose();
  };
  const what = t.keyChanges.what[card.kind];
  return (
    <ReasonDialog
      title={t.keyChanges.title(card.serial)}
      isOpen={isOpen}
      onClose={close}
      more={cause === null ? undefined : { cause }}
      ticket
      variant="primary"
      confirm={t.keyChanges.confirm}
      perform={(body, headers) =>
        answerOf(
          api.POST('/api/v1/cards/{cardId}/administrator-key-changes', {
            params: { path: { cardId } },
            body,
            headers,
          }),
        )
      }
      touches={[['cards'], ['key-changes'], ['tasks'], ['events']]}
      onAttempt={() => setAttempted(true)}
    >
      <p>{what.does}</p>
      <p>{what.doesNot}</p>
      {card.takeOverPending ? null : (
        <Choice
          label={t.keyChanges.cause}
          options={(['periodic', 'suspicion'] as const).map((value) => ({ value, ...t.keyChanges.causes[value] }))}
          value={chosen}
          onChange={setChosen}
          error={attempted && chosen === null ? t.keyChanges.causeMissing : undefined}
        />
      )}
    </ReasonDialog>
  );
}
