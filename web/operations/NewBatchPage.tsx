import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { NewRevocationBatch } from '../app/contract.ts';
import { certificateProfilesQuery } from '../certificate-profiles/certificate-profiles.queries.ts';
import { RevocationFields } from '../certificates/RevocationFields.tsx';
import { NO_REVOCATION, saidOf } from '../certificates/revocation-fields.ts';
import { RecordPicker } from '../search/RecordPicker.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Choice } from '../ui/Choice.tsx';
import { Page } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { FieldProblem } from '../ui/TextInput.tsx';
import { BYS, NO_SELECTION, selectionOf, type TypedSelection } from './batch-selection.ts';
import { ListInput } from './ListInput.tsx';

const texts = t.batches;

/** Says which certificates are to be revoked and why; what that is, is then looked at on the page of the operation. */
export function NewBatchPage() {
  const navigate = useNavigate();
  const [selection, setSelection] = useState(NO_SELECTION);
  const [why, setWhy] = useState(NO_REVOCATION);
  const [attempted, setAttempted] = useState(false);
  const plan = useAct({
    perform: (body: NewRevocationBatch, headers) => answerOf(api.POST('/api/v1/revocation-batches', { body, headers })),
    touches: [['operations'], ['events']],
    onDone: ({ id }) => void navigate({ to: '/operations/$operationId', params: { operationId: id }, search: {} }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    const [select, said] = [selectionOf(selection), saidOf(why)];
    if (select !== null && said !== null) plan.mutate({ select, ...said });
  };
  return (
    <Page title={texts.title}>
      <p className="lead">{texts.lead}</p>
      <form className="stack narrow" onSubmit={submit} noValidate>
        <SelectionFields selection={selection} onChange={setSelection} attempted={attempted} />
        <RevocationFields
          typed={why}
          onChange={setWhy}
          attempted={attempted}
          refused={plan.error instanceof ApiError ? plan.error : undefined}
        />
        <ProblemNote error={plan.error} />
        <div>
          <Button type="submit" variant="primary" pending={plan.isPending}>
            {texts.plan}
          </Button>
        </div>
      </form>
    </Page>
  );
}

function SelectionFields(props: {
  selection: TypedSelection;
  onChange: (selection: TypedSelection) => void;
  attempted: boolean;
}) {
  const { selection, attempted } = props;
  const { by, subject, profile, list } = selection;
  const set = (some: Partial<TypedSelection>) => props.onChange({ ...selection, ...some });
  const profiles = useQuery(certificateProfilesQuery).data?.items ?? [];
  return (
    <>
      <Choice
        label={texts.by}
        options={BYS.map((value) => ({ value, ...texts.bys[value] }))}
        value={by}
        onChange={(chosen) => set({ by: chosen, subject: null })}
      />
      {by === 'person' || by === 'card' || by === 'device' ? (
        <RecordPicker
          key={by}
          label={t.kind[by]}
          kind={by}
          picked={subject}
          onPick={(picked) => set({ subject: picked })}
          error={attempted && subject === null ? texts.subjectMissing : undefined}
        />
      ) : null}
      {by === 'list' ? (
        <ListInput
          value={list}
          onChange={(typed) => set({ list: typed })}
          error={attempted && list.trim() === '' ? texts.listMissing : undefined}
        />
      ) : (
        <div className="field">
          <SelectInput
            label={t.certificates.profile}
            value={profile}
            options={[
              { value: '', label: by === 'profile' ? '' : texts.anyProfile },
              ...profiles.map(({ name, displayName }) => ({ value: name, label: displayName })),
            ]}
            onChange={(chosen) => set({ profile: chosen })}
          />
          <FieldProblem
            id="profile-missing"
            error={attempted && by === 'profile' && profile === '' ? texts.profileMissing : undefined}
          />
        </div>
      )}
    </>
  );
}
