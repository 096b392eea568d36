import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Certificate } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { RevocationFields } from './RevocationFields.tsx';
import { NO_REVOCATION, type SaidRevocation, saidOf } from './revocation-fields.ts';

interface Props {
  certificate: Certificate;
  isOpen: boolean;
  onClose: () => void;
}

/** Revokes a certificate for good. */
export function RevokeDialog(props: Props) {
  return (
    <Dialog title={t.certificates.revokeTitle} isOpen={props.isOpen} onClose={props.onClose}>
      <RevokeForm {...props} />
    </Dialog>
  );
}

function RevokeForm({ certificate, onClose }: Props) {
  const certificateId = certificate.id;
  const [typed, setTyped] = useState(NO_REVOCATION);
  const [attempted, setAttempted] = useState(false);
  const revoke = useAct({
    perform: (body: SaidRevocation, headers) =>
      answerOf(
        api.POST('/api/v1/certificates/{certificateId}/revocations', {
          params: { path: { certificateId } },
          body,
          headers,
        }),
      ),
    touches: [['certificates'], ['revocations'], ['expiries'], ['events']],
    onDone: onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    const said = saidOf(typed);
    if (said !== null) revoke.mutate(said);
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p>{t.certificates.revokeWhat(certificate.subject ?? '', certificate.card.serial)}</p>
      <ProblemNote error={revoke.error} />
      <RevocationFields
        typed={typed}
        onChange={setTyped}
        attempted={attempted}
        refused={revoke.error instanceof ApiError ? revoke.error : undefined}
      />
      <div className="actions">
        <Button type="submit" variant="danger" pending={revoke.isPending}>
          {t.certificates.revokeConfirm}
        </Button>
        <Button onPress={onClose}>{t.common.cancel}</Button>
      </div>
    </form>
  );
}
