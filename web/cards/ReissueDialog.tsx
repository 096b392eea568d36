import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { Card } from '../app/contract.ts';
import { EnrolmentCode } from '../people/EnrolmentCode.tsx';
import { en as t } from '../texts/en.ts';
import { Choice } from '../ui/Choice.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

const OLD_CARD = ['retire-when-replaced', 'retire-now'] as const;
const WHY = ['superseded', 'keyCompromise', 'cessationOfOperation'] as const;

/** Makes the code for a card that takes the place of this one, and shows it once: it is gone when the dialog closes. */
export function ReissueDialog(props: { card: Card; isOpen: boolean; onClose: () => void }) {
  const [oldCard, setOldCard] = useState<(typeof OLD_CARD)[number]>('retire-when-replaced');
  const [why, setWhy] = useState<(typeof WHY)[number]>('superseded');
  const [made, setMade] = useState<{ code: string; expiresAt: string } | null>(null);
  const { card } = props;
  const close = () => {
    setOldCard('retire-when-replaced');
    setWhy('superseded');
    setMade(null);
    props.onClose();
  };
  if (made !== null) {
    return (
      <Dialog title={t.reissue.codeTitle} isOpen={props.isOpen} mustAnswer>
        <EnrolmentCode {...made} person={card.person} onDone={close} />
      </Dialog>
    );
  }
  const isGone = card.state === 'retired' || card.state === 'destroyed';
  const mayRetire = card.allowedActions.some(({ action, allowed }) => action === 'retire' && allowed);
  const more = oldCard === 'retire-now' ? { oldCard, revocationReason: why } : { oldCard };
  return (
    <ReasonDialog
      title={t.reissue.title(card.serial)}
      isOpen={props.isOpen}
      onClose={close}
      more={more}
      ticket
      variant={oldCard === 'retire-now' ? 'danger' : 'primary'}
      confirm={t.reissue.confirm}
      perform={(body, headers) =>
        answerOf(api.POST('/api/v1/cards/{cardId}/reissues', { params: { path: { cardId: card.id } }, body, headers }))
      }
      touches={[['cards'], ['enrolments'], ['certificates'], ['key-changes'], ['tasks'], ['events']]}
      onDone={({ code, enrolment }) => setMade({ code, expiresAt: enrolment.expiresAt })}
    >
      <p>{t.reissue.what}</p>
      {mayRetire ? (
        <Choice
          label={t.reissue.oldCard}
          options={OLD_CARD.map((value) => ({ value, ...t.reissue.oldCards[value] }))}
          value={oldCard}
          onChange={setOldCard}
        />
      ) : (
        <p>{isGone ? t.reissue.oldCardGone : t.reissue.oldCardStays}</p>
      )}
      {oldCard === 'retire-now' ? (
        <Choice
          label={t.reissue.why}
          options={WHY.map((value) => ({ value, ...t.reissue.whys[value] }))}
          value={why}
          onChange={setWhy}
        />
      ) : null}
    </ReasonDialog>
  );
}
