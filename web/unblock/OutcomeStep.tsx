import { useState } from 'react';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { StepFrame } from './StepFrame.tsx';
import type { useUnblockActs } from './use-unblock-acts.ts';

/** The last step: whether the new PIN works. Either answer closes the session. */
export function OutcomeStep(props: {
  unblockSessionId: string;
  close: ReturnType<typeof useUnblockActs>['close'];
  onBack: (() => void) | undefined;
}) {
  const [note, setNote] = useState('');
  const close = (outcome: 'worked' | 'failed') =>
    props.close.mutate({ unblockSessionId: props.unblockSessionId, outcome, note });
  return (
    <StepFrame title={t.unblock.outcomeTitle} onBack={props.onBack}>
      <p className="lead">{t.unblock.outcomeLead}</p>
      <ProblemNote error={props.close.error} />
      <TextInput label={t.unblock.note} optional value={note} onChange={setNote} />
      <div className="actions">
        <Button variant="primary" pending={props.close.isPending} onPress={() => close('worked')}>
          {t.unblock.worked}
        </Button>
        <Button variant="secondary" pending={props.close.isPending} onPress={() => close('failed')}>
          {t.unblock.failed}
        </Button>
      </div>
    </StepFrame>
  );
}
