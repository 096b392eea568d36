import { useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import type { Person } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { EnrolmentCode } from './EnrolmentCode.tsx';

/** Makes an enrolment code and shows it once: it is in this component's memory only, and gone with it. */
export function NewEnrolment({ person }: { person: Person }) {
  const [made, setMade] = useState<{ code: string; expiresAt: string } | null>(null);
  const make = useAct({
    perform: (personId: string, headers) => answerOf(api.POST('/api/v1/enrolments', { body: { personId }, headers })),
    touches: [['enrolments'], ['events']],
    onDone: ({ code, enrolment }) => {
      setMade({ code, expiresAt: enrolment.expiresAt });
      // the answer must not outlive what is shown of it
      make.reset();
    },
  });
  if (made !== null) {
    return <EnrolmentCode code={made.code} expiresAt={made.expiresAt} person={person} onDone={() => setMade(null)} />;
  }
  return (
    <div className="stack">
      <ProblemNote error={make.error} />
      <div>
        <Button variant="primary" pending={make.isPending} onPress={() => make.mutate(person.id)}>
          {t.enrolments.make}
        </Button>
      </div>
    </div>
  );
}
