import { useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import type { CertificatePreview, NewCertificateProfile } from '../app/contract.ts';
import { type Picked, RecordPicker } from '../search/RecordPicker.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Facts } from '../ui/Facts.tsx';
import { Section } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { Time } from '../ui/Time.tsx';

const texts = t.certificateProfiles;

/** What a certificate of a profile, saved or not, would say of a person. */
export function PreviewSection({ profile }: { profile: NewCertificateProfile | null }) {
  const [person, setPerson] = useState<Picked | null>(null);
  const [hostName, setHostName] = useState('');
  const preview = useAct({
    perform: (body: { profile: NewCertificateProfile; personId: string; hostName?: string }, headers) =>
      answerOf(api.POST('/api/v1/certificate-profiles/previews', { body, headers })),
  });
  const show = () => {
    if (profile === null || person === null) return;
    const host = profile.kind === 'device' && hostName.trim() !== '' ? { hostName: hostName.trim() } : {};
    preview.mutate({ profile, personId: person.id, ...host });
  };
  return (
    <Section title={texts.preview}>
      <p className="hint">{texts.previewWhat}</p>
      <div className="stack narrow">
        <RecordPicker label={texts.previewPerson} kind="person" picked={person} onPick={setPerson} />
        {profile?.kind === 'device' ? (
          <TextInput label={texts.previewHost} value={hostName} maxLength={253} onChange={setHostName} />
        ) : null}
        {person !== null && profile !== null ? (
          <div>
            <Button pending={preview.isPending} onPress={show}>
              {texts.previewMake}
            </Button>
          </div>
        ) : null}
      </div>
      <ProblemNote error={preview.error} />
      {preview.data ? <Shown preview={preview.data} /> : null}
    </Section>
  );
}

function Shown({ preview }: { preview: CertificatePreview }) {
  const { rsa, ec } = preview.keyUsage;
  return (
    <Facts
      facts={[
        [texts.subject, preview.subject],
        [texts.otherNames, preview.subjectAltName.join(', ')],
        [texts.sid, preview.securityIdentifier],
        [texts.usage, texts.usageOf(rsa.join(', '), ec.join(', '))],
        [texts.extendedUsage, preview.extendedKeyUsage.join(', ')],
        [t.certificates.notBefore, <Time key="from" at={preview.notBefore} exact />],
        [t.certificates.notAfter, <Time key="to" at={preview.notAfter} exact />],
        [texts.renewableFrom, <Time key="renew" at={preview.renewableFrom} exact />],
      ]}
    />
  );
}
