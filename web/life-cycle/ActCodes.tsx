import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LifeCycleResult } from '../app/contract.ts';
import { EnrolmentCode } from '../people/EnrolmentCode.tsx';
import { personQuery } from '../people/people.queries.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';

/** That an act is done, and the codes it made, one after the other: each is shown once, and is gone when it is hidden. */
export function ActCodes({ result, onDone }: { result: LifeCycleResult; onDone: () => void }) {
  const [at, setAt] = useState(0);
  const code = result.codes[at];
  if (code === undefined) {
    return (
      <Dialog title={t.lifeCycle.done} isOpen onClose={onDone}>
        <p>{t.lifeCycle.doneWhat}</p>
        <div className="actions">
          <Button onPress={onDone}>{t.common.close}</Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t.lifeCycle.codeTitle} isOpen mustAnswer>
      {result.codes.length > 1 ? <p className="hint">{t.lifeCycle.codeOf(at + 1, result.codes.length)}</p> : null}
      <CodeOf key={code.enrolmentId} code={code} onDone={() => setAt(at + 1)} />
    </Dialog>
  );
}

function CodeOf({ code, onDone }: { code: LifeCycleResult['codes'][number]; onDone: () => void }) {
  const person = useQuery(personQuery(code.personId));
  // The code is shown whether or not the name of its person can be had: it will not be shown again.
  return <EnrolmentCode {...code} person={person.data ?? { displayName: '…' }} onDone={onDone} />;
}
