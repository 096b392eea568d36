import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { CardProfile, ChangedCardProfile } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonFields } from '../ui/ReasonFields.tsx';
import { RulesFields } from './RulesFields.tsx';
import { changeOf, typedRules } from './rules.ts';

/** Changes a profile as it was shown: had somebody else changed it meanwhile, the server refuses. */
export function ChangeCardProfile(props: { profile: CardProfile; etag: string; onClose: () => void }) {
  const { name } = props.profile;
  // What is sent is the version that was opened, whatever is fetched while it is worked on.
  const [etag] = useState(props.etag);
  const [rules, setRules] = useState(() => typedRules(props.profile));
  const [reason, setReason] = useState('');
  const [attempted, setAttempted] = useState(false);
  const change = useAct({
    perform: (body: ChangedCardProfile) =>
      answerOf(
        api.PUT('/api/v1/card-profiles/{name}', {
          params: { path: { name }, header: { 'If-Match': etag } },
          body,
        }),
      ),
    touches: [['card-profiles'], ['events']],
    onDone: props.onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    const body = changeOf(rules);
    if (body !== null && reason.trim() !== '') change.mutate({ ...body, reason: reason.trim() });
  };
  const refused = change.error instanceof ApiError ? change.error : undefined;
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p>{t.cardProfiles.changeWhat}</p>
      <RulesFields rules={rules} onChange={setRules} attempted={attempted} refused={refused} />
      <ReasonFields
        reason={reason}
        ticket=""
        onReason={setReason}
        onTicket={undefined}
        attempted={attempted}
        refused={{ reason: refused?.field('reason'), ticket: undefined }}
      />
      <ProblemNote error={change.error} />
      <div className="actions">
        <Button type="submit" variant="primary" pending={change.isPending}>
          {t.cardProfiles.save}
        </Button>
        <Button onPress={props.onClose}>{t.common.cancel}</Button>
      </div>
    </form>
  );
}
