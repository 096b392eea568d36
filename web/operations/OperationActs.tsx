import { useState } from 'react';
import { Group } from 'react-aria-components/Group';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import type { Operation } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

const texts = t.operations;
const TOUCHED = [['operations'], ['certificates'], ['revocations'], ['expiries'], ['events']];

/** Runs a plan, or stops it, as far as the server says that this can be done. */
export function OperationActs({ operation }: { operation: Operation }) {
  const [asking, setAsking] = useState<'run' | 'cancel' | null>(null);
  const may = (name: string) => operation.allowedActions.some(({ action, allowed }) => action === name && allowed);
  const close = () => setAsking(null);
  if (!may('run') && !may('cancel')) return null;
  return (
    <Group className="actions" aria-label={t.cards.acts}>
      {may('run') ? (
        <Button variant="danger" onPress={() => setAsking('run')}>
          {texts.run}
        </Button>
      ) : null}
      {may('cancel') ? <Button onPress={() => setAsking('cancel')}>{texts.cancel}</Button> : null}
      <RunDialog operation={operation} isOpen={asking === 'run'} onClose={close} />
      <CancelDialog operation={operation} isOpen={asking === 'cancel'} onClose={close} />
    </Group>
  );
}

interface Props {
  operation: Operation;
  isOpen: boolean;
  onClose: () => void;
}

function RunDialog({ operation, isOpen, onClose }: Props) {
  const run = useAct({
    perform: (operationId: string, headers) =>
      answerOf(
        api.POST('/api/v1/revocation-batches/{operationId}/runs', {
          params: { path: { operationId } },
          body: {},
          headers,
        }),
      ),
    touches: TOUCHED,
    onDone: onClose,
  });
  return (
    <Dialog title={texts.runTitle(operation.progress.total)} isOpen={isOpen} onClose={onClose}>
      <p>{texts.runWhat}</p>
      <ProblemNote error={run.error} />
      <div className="actions">
        <Button variant="danger" pending={run.isPending} onPress={() => run.mutate(operation.id)}>
          {texts.runConfirm}
        </Button>
        <Button onPress={onClose}>{t.common.cancel}</Button>
      </div>
    </Dialog>
  );
}

function CancelDialog({ operation, isOpen, onClose }: Props) {
  return (
    <ReasonDialog
      title={texts.cancelTitle}
      isOpen={isOpen}
      onClose={onClose}
      more={{}}
      ticket
      confirm={texts.cancelConfirm}
      dismiss={t.common.close}
      perform={(body, headers) =>
        answerOf(
          api.POST('/api/v1/operations/{operationId}/cancellations', {
            params: { path: { operationId: operation.id } },
            body,
            headers,
          }),
        )
      }
      touches={TOUCHED}
    >
      <p>{texts.cancelWhat}</p>
    </ReasonDialog>
  );
}
