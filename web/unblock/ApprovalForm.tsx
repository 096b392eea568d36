import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Card, UnblockSession, VerificationMethod } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Section } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonFields } from '../ui/ReasonFields.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { RefuseDialog } from './RefuseDialog.tsx';
import { VerificationFields } from './VerificationFields.tsx';

interface Approval {
  confirmationCode: string;
  verification: { method: VerificationMethod; evidence: string };
  reason: string;
  ticket?: string;
}

/**
 * Approves what a device asked for. The confirmation code is never shown here: the caller must read it from the screen
 * of the device, so that no operator can approve the request of somebody who is not on the line.
 */
export function ApprovalForm({ session, card }: { session: UnblockSession; card: Card }) {
  const unblockSessionId = session.id;
  const [code, setCode] = useState('');
  const [method, setMethod] = useState<VerificationMethod | null>(null);
  const [evidence, setEvidence] = useState('');
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const [attempted, setAttempted] = useState(false);
  const [refusing, setRefusing] = useState(false);
  const approve = useAct<Approval, UnblockSession>({
    perform: (body, headers) =>
      answerOf(
        api.POST('/api/v1/unblock-sessions/{unblockSessionId}/approvals', {
          params: { path: { unblockSessionId } },
          body,
          headers,
        }),
      ),
    touches: [['unblock-sessions'], ['cards'], ['events']],
  });
  const refused = approve.error instanceof ApiError ? approve.error : undefined;
  const wrongCode = refused?.code === 'confirmation-code-wrong';
  const codeError =
    attempted && code.trim() === ''
      ? t.approval.codeMissing
      : wrongCode
        ? refused.detail
        : refused?.field('confirmationCode');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (code.trim() === '' || method === null || evidence.trim() === '' || reason.trim() === '') return;
    approve.mutate({
      confirmationCode: code.trim(),
      verification: { method, evidence: evidence.trim() },
      reason: reason.trim(),
      ...(ticket.trim() === '' ? {} : { ticket: ticket.trim() }),
    });
  };
  return (
    <Section title={t.approval.section}>
      <form className="stack narrow" onSubmit={submit} noValidate>
        <p className="lead">{t.approval.lead(card.person.displayName)}</p>
        {wrongCode ? null : <ProblemNote error={approve.error} />}
        <TextInput
          code
          label={t.approval.code}
          hint={t.approval.codeHint}
          maxLength={20}
          value={code}
          onChange={setCode}
          error={codeError}
        />
        <VerificationFields
          method={method}
          evidence={evidence}
          onMethod={setMethod}
          onEvidence={setEvidence}
          attempted={attempted}
          refused={{ method: refused?.field('method'), evidence: refused?.field('evidence') }}
        />
        <ReasonFields
          reason={reason}
          ticket={ticket}
          onReason={setReason}
          onTicket={setTicket}
          attempted={attempted}
          refused={{ reason: refused?.field('reason'), ticket: refused?.field('ticket') }}
        />
        <div className="actions">
          <Button type="submit" variant="primary" pending={approve.isPending}>
            {t.approval.approve}
          </Button>
          <Button variant="danger" onPress={() => setRefusing(true)}>
            {t.approval.refuse}
          </Button>
        </div>
      </form>
      <RefuseDialog unblockSessionId={unblockSessionId} isOpen={refusing} onClose={() => setRefusing(false)} />
    </Section>
  );
}
