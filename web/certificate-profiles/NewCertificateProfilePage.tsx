import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { NewCertificateProfile } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Page } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { ContentsFields } from './ContentsFields.tsx';
import { contentsOf, fitted, KINDS, type Kind, NEW_CONTENTS } from './contents.ts';
import { PreviewSection } from './PreviewSection.tsx';

const texts = t.certificateProfiles;

/** A new sort of certificates, and what one would say before there is any. */
export function NewCertificateProfilePage() {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind>('smart-card-sign-in');
  const [typed, setTyped] = useState(NEW_CONTENTS);
  const [attempted, setAttempted] = useState(false);
  const make = useAct({
    perform: (body: NewCertificateProfile, headers) =>
      answerOf(api.POST('/api/v1/certificate-profiles', { body, headers })),
    touches: [['certificate-profiles'], ['events']],
    onDone: (made) => void navigate({ to: '/certificate-profiles/$name', params: { name: made.name } }),
  });
  const refused = make.error instanceof ApiError ? make.error : undefined;
  const contents = contentsOf(typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (contents !== null && name !== '') make.mutate({ name, kind, ...contents });
  };
  return (
    <Page title={texts.newTitle}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          label={texts.name}
          hint={texts.nameHint}
          value={name}
          maxLength={64}
          onChange={setName}
          error={attempted && name === '' ? texts.nameMissing : refused?.field('name')}
        />
        <SelectInput
          label={texts.kind}
          value={kind}
          options={KINDS.map((value) => ({ value, label: texts.kinds[value] }))}
          onChange={(chosen) => {
            const next = KINDS.find((one) => one === chosen) ?? kind;
            setKind(next);
            setTyped(fitted(typed, next));
          }}
        />
        <ContentsFields kind={kind} typed={typed} onChange={setTyped} attempted={attempted} refused={refused} />
        <ProblemNote error={make.error} />
        <div>
          <Button type="submit" variant="primary" pending={make.isPending}>
            {texts.make}
          </Button>
        </div>
      </form>
      <PreviewSection profile={contents === null ? null : { name: name || 'preview', kind, ...contents }} />
    </Page>
  );
}
