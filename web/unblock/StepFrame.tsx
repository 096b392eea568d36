import { type FormEvent, type ReactNode, useEffect, useRef } from 'react';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';

/** One step: its heading takes the focus when it appears; Enter in a field goes on. */
export function StepFrame(props: {
  title: string;
  children: ReactNode;
  next?: { label: string; onNext: () => void; pending?: boolean };
  onBack?: (() => void) | undefined;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another title is another step
  useEffect(() => heading.current?.focus(), [props.title]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!props.next?.pending) props.next?.onNext();
  };
  return (
    <form className="step" onSubmit={submit} noValidate>
      <h2 ref={heading} tabIndex={-1}>
        {props.title}
      </h2>
      {props.children}
      {props.next || props.onBack ? (
        <div className="actions">
          {props.next ? (
            <Button type="submit" variant="primary" pending={props.next.pending ?? false}>
              {props.next.label}
            </Button>
          ) : null}
          {props.onBack ? <Button onPress={props.onBack}>{t.common.back}</Button> : null}
        </div>
      ) : null}
    </form>
  );
}
