import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { Card, VerificationMethod } from '../app/contract.ts';
import { EnrolmentCode } from '../people/EnrolmentCode.tsx';
import { en as t } from '../texts/en.ts';
import { Choice } from '../ui/Choice.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';
import { VerificationFields } from '../unblock/VerificationFields.tsx';

const OLD_CARD = ['retire-when-replaced', 'retire-now'] as const;
const WHY = ['superseded', 'keyCompromise', 'cessationOfOperation'] as const;

/** Makes the code for a card that takes the place of this one, and shows it once: it is gone when the dialog closes. */
export function ReissueDialog(props: { card: Card; isOpen: boolean; onClose: () => void }) {
  const [oldCard, setOldCard] = useState<(typeof OLD_CARD)[number]>('retire-when-replaced');
  const [why, setWhy] = useState<(typeof WHY)[number]>('superseded');
  const [made, setMade] = useState<{ code: string; handOverCode: string | null; expiresAt: string } | null>(null);
  // Whether somebody has to vouch is a matter of the card's profile, which the server knows: it says so when it is asked.
  const [vouches, setVouches] = useState(false);
  const [method, setMethod] = useState<VerificationMethod | null>(null);
  const [evidence, setEvidence] = useState('');
  const [attempted, setAttempted] = useState(false);
  const { card } = props;
  const close = () => {
    setOldCard('retire-when-replaced');
    setWhy('superseded');
    setMade(null);
    setVouches(false);
    setMethod(null);
    setEvidence('');
    setAttempted(false);
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
  const fate = oldCard === 'retire-now' ? { oldCard, revocationReason: why } : { oldCard };
  const verification = method === null || evidence.trim() === '' ? undefined : { method, evidence: evidence.trim() };
  const more = vouches ? verification && { ...fate, verification } : fate;
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
      onDone={({ code, handOverCode, enrolment }) => setMade({ code, handOverCode, expiresAt: enrolment.expiresAt })}
      onAttempt={() => setAttempted(vouches)}
      onRefused={({ code }) => (code === 'verification-required' ? setVouches(true) : undefined)}
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
      {vouches ? (
        <VerificationFields
          method={method}
          evidence={evidence}
          onMethod={setMethod}
          onEvidence={setEvidence}
          attempted={attempted}
        />
      ) : null}
    </ReasonDialog>
  );
}
