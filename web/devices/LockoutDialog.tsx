import { LOCKOUT_CHALLENGE_BYTES, lineLengths } from '@cardwright/protocol/challenge';
import { useState } from 'react';
import { answerOf, api } from '../app/api.ts';
import type { Device, VerificationMethod } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { inGroups } from '../ui/format.ts';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';
import { ChallengeFields } from '../unblock/ChallengeFields.tsx';
import { type ChallengeFormat, isComplete } from '../unblock/challenge-input.ts';
import { VerificationFields } from '../unblock/VerificationFields.tsx';
import '../unblock/wizard.css';

const FORMAT: ChallengeFormat = {
  kind: 'base32',
  bytes: LOCKOUT_CHALLENGE_BYTES,
  lengths: lineLengths(LOCKOUT_CHALLENGE_BYTES),
};
const EMPTY = FORMAT.lengths.map(() => '');

interface Props {
  device: Device;
  isOpen: boolean;
  onClose: () => void;
}

/** Answers the challenge of a TPM that has locked itself. The response is in this dialog and nowhere else. */
export function LockoutDialog(props: Props) {
  const [answer, setAnswer] = useState<readonly string[] | null>(null);
  const close = () => {
    setAnswer(null);
    props.onClose();
  };
  if (answer === null) return <LockoutForm {...props} onClose={close} onAnswer={setAnswer} />;
  return (
    <Dialog title={t.lockout.responseTitle(props.device.hostName)} isOpen={props.isOpen} mustAnswer>
      <p>{t.lockout.read}</p>
      <ol className="response-lines" aria-label={t.unblock.response}>
        {answer.map((line) => (
          <li key={line}>{inGroups(line)}</li>
        ))}
      </ol>
      <div className="actions">
        <Button onPress={close}>{t.lockout.hide}</Button>
      </div>
    </Dialog>
  );
}

function LockoutForm({ device, onAnswer, ...dialog }: Props & { onAnswer: (lines: readonly string[]) => void }) {
  const [method, setMethod] = useState<VerificationMethod | null>(null);
  const [evidence, setEvidence] = useState('');
  const [lines, setLines] = useState<readonly string[]>(EMPTY);
  const [attempted, setAttempted] = useState(false);
  const whole = method !== null && evidence.trim() !== '' && isComplete(FORMAT, lines);
  return (
    <ReasonDialog
      title={t.lockout.title(device.hostName)}
      {...dialog}
      more={whole ? { challenge: lines.join('\n'), verification: { method, evidence: evidence.trim() } } : undefined}
      ticket
      variant="primary"
      confirm={t.lockout.confirm}
      perform={(body, headers) =>
        answerOf(
          api.POST('/api/v1/devices/{deviceId}/lockout-resets', {
            params: { path: { deviceId: device.id } },
            body,
            headers,
          }),
        )
      }
      touches={[['events']]}
      onDone={(answer) => onAnswer(answer.lines)}
      onAttempt={() => setAttempted(true)}
    >
      <p>{t.lockout.what}</p>
      <VerificationFields
        method={method}
        evidence={evidence}
        onMethod={setMethod}
        onEvidence={setEvidence}
        attempted={attempted}
      />
      <ChallengeFields format={FORMAT} lines={lines} onLines={setLines} attempted={attempted} />
    </ReasonDialog>
  );
}
