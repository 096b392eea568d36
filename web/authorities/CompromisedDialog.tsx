import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import type { Operation } from '../app/contract.ts';
import { fromLocalInput } from '../app/local-time.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonDialog, type Why } from '../ui/ReasonDialog.tsx';
import { TextInput } from '../ui/TextInput.tsx';

const texts = t.authorities;
const TOUCHED = [['operations'], ['certificates'], ['revocations'], ['expiries'], ['authorities'], ['events']];

interface Planned {
  readonly operation: Operation;
  readonly why: Why;
}

/** The key of a CA is in other hands: shows first how much it issued, then revokes all of it. */
export function CompromisedDialog({ authority, onClose }: { authority: string; onClose: () => void }) {
  const [planned, setPlanned] = useState<Planned | null>(null);
  const [since, setSince] = useState('');
  if (planned !== null) return <ConfirmDialog authority={authority} planned={planned} onClose={onClose} />;
  const invalidityDate = fromLocalInput(since);
  return (
    <ReasonDialog
      title={texts.compromisedTitle(authority)}
      isOpen
      onClose={onClose}
      more={invalidityDate === undefined ? {} : { invalidityDate }}
      ticket
      variant="primary"
      confirm={texts.compromisedShow}
      perform={async ({ reason, ticket, ...more }: Why & { invalidityDate?: string }, headers) => {
        const why = { reason, ...(ticket === undefined ? {} : { ticket }) };
        const operation = await answerOf(
          api.POST('/api/v1/authorities/{authority}/life-cycle-acts', {
            params: { path: { authority } },
            body: { act: 'ca-key-compromised', preview: true, ...why, ...more },
            headers,
          }),
        );
        return { operation, why };
      }}
      touches={[['operations']]}
      onDone={setPlanned}
    >
      <p>{texts.compromisedWhat}</p>
      <TextInput
        label={t.certificates.invalidityDate}
        hint={t.certificates.invalidityHint}
        optional
        type="datetime-local"
        value={since}
        onChange={setSince}
      />
    </ReasonDialog>
  );
}

function ConfirmDialog({ authority, planned, onClose }: { authority: string; planned: Planned; onClose: () => void }) {
  const navigate = useNavigate();
  const { id: operationId, progress } = planned.operation;
  const link = { to: '/operations/$operationId', params: { operationId }, search: {} } as const;
  const run = useAct({
    perform: (previewToken: string, headers) =>
      answerOf(
        api.POST('/api/v1/authorities/{authority}/life-cycle-acts', {
          params: { path: { authority } },
          body: { act: 'ca-key-compromised', previewToken, ...planned.why },
          headers,
        }),
      ),
    touches: TOUCHED,
    onDone: () => void navigate(link),
  });
  return (
    <Dialog title={texts.compromisedTitle(authority)} isOpen onClose={onClose}>
      <p>
        <strong>{texts.compromisedPlan(progress.total)}.</strong> <Link {...link}>{texts.compromisedLook}</Link>
      </p>
      <ProblemNote error={run.error} />
      <div className="actions">
        <Button
          variant="danger"
          pending={run.isPending}
          disabledReason={progress.total === 0 ? t.lifeCycle.nothing : null}
          onPress={() => run.mutate(operationId)}
        >
          {texts.compromisedConfirm}
        </Button>
        <Button onPress={onClose}>{t.common.cancel}</Button>
      </div>
    </Dialog>
  );
}
