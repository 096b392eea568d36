import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { CertificateProfile, ChangedCertificateProfile } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonFields } from '../ui/ReasonFields.tsx';
import { ContentsFields } from './ContentsFields.tsx';
import { contentsOf, typedContents } from './contents.ts';
import { PreviewSection } from './PreviewSection.tsx';

/** Saves a new version of a profile as it was shown: had somebody else saved one meanwhile, the server refuses. */
export function ChangeCertificateProfile(props: { profile: CertificateProfile; etag: string; onClose: () => void }) {
  const { name, kind } = props.profile;
  // What is sent is the version that was opened, whatever is fetched while it is worked on.
  const [etag] = useState(props.etag);
  const [typed, setTyped] = useState(() => typedContents(props.profile));
  const [reason, setReason] = useState('');
  const [attempted, setAttempted] = useState(false);
  const change = useAct({
    perform: (body: ChangedCertificateProfile) =>
      answerOf(
        api.PUT('/api/v1/certificate-profiles/{name}', {
          params: { path: { name }, header: { 'If-Match': etag } },
          body,
        }),
      ),
    touches: [['certificate-profiles'], ['events']],
    onDone: props.onClose,
  });
  const refused = change.error instanceof ApiError ? change.error : undefined;
  const contents = contentsOf(typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (contents !== null && reason.trim() !== '') change.mutate({ ...contents, reason: reason.trim() });
  };
  return (
    <>
      <form className="stack" onSubmit={submit} noValidate>
        <p className="lead">{t.certificateProfiles.changeWhat}</p>
        <ContentsFields kind={kind} typed={typed} onChange={setTyped} attempted={attempted} refused={refused} />
        <ReasonFields
          reason={reason}
          ticket=""
          onReason={setReason}
          attempted={attempted}
          refused={{ reason: refused?.field('reason') }}
        />
        <ProblemNote error={change.error} />
        <div className="actions">
          <Button type="submit" variant="primary" pending={change.isPending}>
            {t.certificateProfiles.save}
          </Button>
          <Button onPress={props.onClose}>{t.common.cancel}</Button>
        </div>
      </form>
      <PreviewSection profile={contents === null ? null : { name, kind, ...contents }} />
    </>
  );
}
