import type { VerificationMethod } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Choice } from '../ui/Choice.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { METHODS } from './wizard-state.ts';

/** How the caller was identified: by what method, and what was seen or heard. */
export function VerificationFields(props: {
  method: VerificationMethod | null;
  evidence: string;
  onMethod: (method: VerificationMethod) => void;
  onEvidence: (evidence: string) => void;
  /** show what is missing */
  attempted: boolean;
  refused?: { method?: string | undefined; evidence?: string | undefined };
}) {
  const missing = props.attempted && props.evidence.trim() === '';
  return (
    <>
      <Choice
        label={t.unblock.method}
        options={METHODS.map((value) => ({ value, ...t.unblock.methods[value] }))}
        value={props.method}
        onChange={props.onMethod}
        error={props.attempted && props.method === null ? t.unblock.methodMissing : props.refused?.method}
      />
      <TextInput
        label={t.unblock.evidence}
        hint={t.unblock.evidenceHint}
        value={props.evidence}
        onChange={props.onEvidence}
        error={missing ? t.unblock.evidenceMissing : props.refused?.evidence}
      />
    </>
  );
}
