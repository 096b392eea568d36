import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Person } from '../app/contract.ts';
import { cardProfilesQuery } from '../card-profiles/card-profiles.queries.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { EnrolmentCode } from './EnrolmentCode.tsx';
import { EnrolmentMethodFields } from './EnrolmentMethodFields.tsx';
import { NO_METHOD, type SaidMethod, saidMethod } from './enrolment-method.ts';

/** What the server takes where nothing is said. */
const DEFAULT_PROFILE = 'tpm-default';

interface Made {
  code: string;
  handOverCode: string | null;
  expiresAt: string;
}

/** Makes an enrolment code and shows it once: it is in this component's memory only, and gone with it. */
export function NewEnrolment({ person }: { person: Person }) {
  const [made, setMade] = useState<Made | null>(null);
  const [cardProfile, setCardProfile] = useState(DEFAULT_PROFILE);
  const [typed, setTyped] = useState(NO_METHOD);
  const [attempted, setAttempted] = useState(false);
  const profiles = useQuery(cardProfilesQuery).data?.items.filter(({ kind }) => kind === 'tpm') ?? [];
  const profile = profiles.find(({ name }) => name === cardProfile);
  const make = useAct({
    perform: (body: SaidMethod & { personId: string; cardProfile: string }, headers) =>
      answerOf(api.POST('/api/v1/enrolments', { body, headers })),
    touches: [['enrolments'], ['events']],
    onDone: ({ code, handOverCode, enrolment }) => {
      setMade({ code, handOverCode, expiresAt: enrolment.expiresAt });
      setTyped(NO_METHOD);
      setAttempted(false);
      // the answer must not outlive what is shown of it
      make.reset();
    },
  });
  if (made !== null) return <EnrolmentCode {...made} person={person} onDone={() => setMade(null)} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    const said = saidMethod(profile, typed);
    if (said !== null) make.mutate({ personId: person.id, cardProfile, ...said });
  };
  return (
    <form className="stack narrow" onSubmit={submit} noValidate aria-label={t.enrolments.newTitle}>
      <ProblemNote error={make.error} />
      {profiles.length > 1 ? (
        <SelectInput
          label={t.enrolments.cardProfile}
          value={cardProfile}
          options={profiles.map(({ name, displayName }) => ({ value: name, label: displayName }))}
          onChange={setCardProfile}
        />
      ) : null}
      {profile ? (
        <EnrolmentMethodFields
          profile={profile}
          typed={typed}
          onChange={setTyped}
          attempted={attempted}
          refused={make.error instanceof ApiError ? make.error : undefined}
        />
      ) : null}
      <div>
        <Button type="submit" variant="primary" pending={make.isPending}>
          {t.enrolments.make}
        </Button>
      </div>
    </form>
  );
}
