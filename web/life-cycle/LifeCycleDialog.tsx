import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LifeCycleResult } from '../app/contract.ts';
import { type Picked, RecordPicker } from '../search/RecordPicker.tsx';
import { en as t } from '../texts/en.ts';
import { Checks } from '../ui/Checks.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';
import { ActCodes } from './ActCodes.tsx';
import { perform, previewQuery } from './life-cycle.queries.ts';
import { PlanView } from './PlanView.tsx';
import { type LifeCycleAct, REISSUE_ASKED, type Subject } from './subject.ts';

const texts = t.lifeCycle;
const TOUCHED = ['cards', 'certificates', 'revocations', 'expiries', 'enrolments', 'key-changes', 'tasks'];
const MORE_TOUCHED = ['unblock-sessions', 'life-cycle', 'events'];

/**
 * Shows all that an act does, then does that or nothing: had something changed meanwhile, the server refuses, and what
 * would be done now is shown.
 */
export function LifeCycleDialog({
  subject,
  act,
  onClose,
}: {
  subject: Subject;
  act: LifeCycleAct;
  onClose: () => void;
}) {
  const asked = REISSUE_ASKED[act];
  const [reissue, setReissue] = useState(asked ?? false);
  const [holder, setHolder] = useState<Picked | null>(null);
  const [stale, setStale] = useState(false);
  const [result, setResult] = useState<LifeCycleResult | null>(null);
  const order = {
    act,
    ...(asked === undefined ? {} : { reissue }),
    ...(holder === null ? {} : { newPersonId: holder.id }),
  };
  const preview = useQuery({ ...previewQuery(subject, order), enabled: result === null });
  if (result !== null) return <ActCodes result={result} onDone={onClose} />;
  const token = preview.isFetching ? undefined : preview.data?.previewToken;
  return (
    <ReasonDialog
      title={texts.acts[act].title}
      isOpen
      onClose={onClose}
      more={token === undefined ? undefined : { ...order, previewToken: token }}
      ticket
      confirm={texts.confirm}
      perform={(body, headers) => perform(subject, body, headers)}
      touches={[...TOUCHED, ...MORE_TOUCHED].map((one) => [one])}
      onDone={setResult}
      onRefused={({ code }) => {
        setStale(code === 'preview-stale');
        if (code === 'preview-stale') void preview.refetch();
      }}
    >
      <p>{texts.acts[act].what}</p>
      {asked === undefined ? null : (
        <Checks
          label={texts.reissue}
          options={[{ value: 'on', ...texts.reissueChoice }]}
          value={reissue ? ['on'] : []}
          onChange={(chosen) => setReissue(chosen.length > 0)}
        />
      )}
      {act === 'device-handed-over' ? (
        <RecordPicker label={texts.newHolder} kind="person" picked={holder} onPick={setHolder} optional />
      ) : null}
      {stale ? <p role="status">{texts.stale}</p> : null}
      <Loaded query={preview}>{({ plan }) => <PlanView plan={plan} />}</Loaded>
    </ReasonDialog>
  );
}
