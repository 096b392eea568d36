import { en as t } from '../texts/en.ts';
import { TextInput } from './TextInput.tsx';

/** Why, and the ticket that says so, where the act takes one. */
export function ReasonFields(props: {
  reason: string;
  ticket: string;
  onReason: (reason: string) => void;
  onTicket?: ((ticket: string) => void) | undefined;
  /** show what is missing */
  attempted: boolean;
  readOnly?: boolean;
  refused?: { reason?: string | undefined; ticket?: string | undefined };
}) {
  const missing = props.attempted && props.reason.trim() === '';
  return (
    <>
      <TextInput
        label={t.common.reason}
        value={props.reason}
        onChange={props.onReason}
        readOnly={props.readOnly ?? false}
        error={missing ? t.common.reasonMissing : props.refused?.reason}
      />
      {props.onTicket ? (
        <TextInput
          label={t.common.ticket}
          optional
          maxLength={100}
          value={props.ticket}
          onChange={props.onTicket}
          readOnly={props.readOnly ?? false}
          error={props.refused?.ticket}
        />
      ) : null}
    </>
  );
}
