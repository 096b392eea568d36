import type { ApiError } from '../app/api-error.ts';
import { en as t } from '../texts/en.ts';
import { Choice } from '../ui/Choice.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import type { TypedRevocation } from './revocation-fields.ts';
import { REVOCATION_REASONS } from './revocation-reasons.ts';

const texts = t.certificates;

/** Why certificates are revoked, since when they are not to be trusted, and the ticket that says so. */
export function RevocationFields(props: {
  typed: TypedRevocation;
  onChange: (typed: TypedRevocation) => void;
  /** show what is missing */
  attempted: boolean;
  refused: ApiError | undefined;
}) {
  const { typed, attempted, refused } = props;
  const set = (some: Partial<TypedRevocation>) => props.onChange({ ...typed, ...some });
  return (
    <>
      <Choice
        label={t.common.reason}
        options={REVOCATION_REASONS.map((value) => ({ value, label: texts.reasons[value] }))}
        value={typed.reason}
        onChange={(reason) => set({ reason })}
        error={attempted && typed.reason === null ? texts.reasonMissing : refused?.field('reason')}
      />
      <TextInput
        label={texts.comment}
        value={typed.comment}
        onChange={(comment) => set({ comment })}
        error={attempted && typed.comment.trim() === '' ? texts.commentMissing : refused?.field('comment')}
      />
      <TextInput
        label={texts.invalidityDate}
        hint={texts.invalidityHint}
        optional
        type="datetime-local"
        value={typed.invalidityDate}
        onChange={(invalidityDate) => set({ invalidityDate })}
        error={refused?.field('invalidityDate')}
      />
      <TextInput
        label={t.common.ticket}
        optional
        maxLength={100}
        value={typed.ticket}
        onChange={(ticket) => set({ ticket })}
        error={refused?.field('ticket')}
      />
    </>
  );
}
