import type { QueryKey } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type ActHeaders, useAct } from '../app/act.ts';
import { ApiError } from '../app/api-error.ts';
import { en as t } from '../texts/en.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemNote } from './ProblemNote.tsx';
import { ReasonFields } from './ReasonFields.tsx';

export interface Why {
  reason: string;
  ticket?: string;
}

interface ReasonFormProps<Answer, More extends object> {
  /** What the act does and what it does not; and fields of its own, above the reason. */
  children?: ReactNode;
  /** What those fields say; undefined while something is missing in them. */
  more: More | undefined;
  confirm: string;
  variant?: 'danger' | 'secondary' | 'primary';
  /** Whether the act takes a ticket as well. */
  ticket?: boolean;
  dismiss?: string;
  perform: (body: Why & More, headers: ActHeaders) => Promise<Answer>;
  /** Queries whose answers the act changes. */
  touches: readonly QueryKey[];
  /** Closes, unless this is said. */
  onDone?: (answer: Answer) => void;
  onAttempt?: () => void;
  onRefused?: (error: ApiError) => void;
  onClose: () => void;
}

/** An act that must be said why: it asks, and shows what the server says against it. Empty again when it is opened again. */
export function ReasonDialog<Answer, More extends object = object>({
  title,
  isOpen,
  ...form
}: ReasonFormProps<Answer, More> & { title: string; isOpen: boolean }) {
  return (
    <Dialog title={title} isOpen={isOpen} onClose={form.onClose}>
      <ReasonForm {...form} />
    </Dialog>
  );
}

function ReasonForm<Answer, More extends object>(props: ReasonFormProps<Answer, More>) {
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const [attempted, setAttempted] = useState(false);
  const act = useAct({
    perform: props.perform,
    touches: props.touches,
    onDone: (answer) => (props.onDone ? props.onDone(answer) : props.onClose()),
    onRefused: (error) => props.onRefused?.(error),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    props.onAttempt?.();
    if (reason.trim() === '' || props.more === undefined) return;
    const why = { reason: reason.trim(), ...(ticket.trim() === '' ? {} : { ticket: ticket.trim() }) };
    act.mutate({ ...why, ...props.more });
  };
  const refused = act.error instanceof ApiError ? act.error : undefined;
  return (
    <form className="stack" onSubmit={submit} noValidate>
      {props.children}
      <ProblemNote error={act.error} />
      <ReasonFields
        reason={reason}
        ticket={ticket}
        onReason={setReason}
        onTicket={props.ticket ? setTicket : undefined}
        attempted={attempted}
        refused={{ reason: refused?.field('reason'), ticket: refused?.field('ticket') }}
      />
      <div className="actions">
        <Button type="submit" variant={props.variant ?? 'danger'} pending={act.isPending}>
          {props.confirm}
        </Button>
        <Button onPress={props.onClose}>{props.dismiss ?? t.common.cancel}</Button>
      </div>
    </form>
  );
}
