import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Enrolment, VerificationMethod } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { VerificationFields } from '../unblock/VerificationFields.tsx';

interface Confirmation {
  confirmationCode: string;
  verification: { method: VerificationMethod; evidence: string };
}

/** Says that a person set the first PIN of their card under the operator's eyes, by the code that the device shows. */
export function ConfirmPinDialog(props: { enrolment: Enrolment; onClose: () => void }) {
  return (
    <Dialog title={t.enrolments.confirmTitle} isOpen onClose={props.onClose}>
      <ConfirmForm enrolmentId={props.enrolment.id} onClose={props.onClose} />
    </Dialog>
  );
}

function ConfirmForm({ enrolmentId, onClose }: { enrolmentId: string; onClose: () => void }) {
  const [code, setCode] = useState('');
  const [method, setMethod] = useState<VerificationMethod | null>(null);
  const [evidence, setEvidence] = useState('');
  const [attempted, setAttempted] = useState(false);
  const confirm = useAct({
    perform: (body: Confirmation, headers) =>
      answerOf(
        api.POST('/api/v1/enrolments/{enrolmentId}/initial-pin-confirmations', {
          params: { path: { enrolmentId } },
          body,
          headers,
        }),
      ),
    touches: [['enrolments'], ['events']],
    onDone: onClose,
  });
  const refused = confirm.error instanceof ApiError ? confirm.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (code.trim() === '' || method === null || evidence.trim() === '') return;
    confirm.mutate({ confirmationCode: code.trim(), verification: { method, evidence: evidence.trim() } });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p>{t.enrolments.confirmWhat}</p>
      <ProblemNote error={confirm.error} />
      <TextInput
        label={t.enrolments.confirmationCode}
        code
        maxLength={20}
        value={code}
        onChange={setCode}
        error={
          attempted && code.trim() === '' ? t.enrolments.confirmationCodeMissing : refused?.field('confirmationCode')
        }
      />
      <VerificationFields
        method={method}
        evidence={evidence}
        onMethod={setMethod}
        onEvidence={setEvidence}
        attempted={attempted}
        refused={{ evidence: refused?.field('verification/evidence') }}
      />
      <div className="actions">
        <Button type="submit" variant="primary" pending={confirm.isPending}>
          {t.enrolments.confirmConfirm}
        </Button>
        <Button onPress={onClose}>{t.common.cancel}</Button>
      </div>
    </form>
  );
}
