import type { ReactNode } from 'react';
import { useId } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { en as t } from '../texts/en.ts';

interface ButtonProps {
  children: ReactNode;
  variant?: 'primary' | 'secondary' | 'danger' | 'quiet';
  type?: 'button' | 'submit';
  /** while its act is under way: stays focusable, does nothing, says so */
  pending?: boolean;
  /** why it can't be pressed, in words for the operator: disables it and is shown beside it */
  disabledReason?: string | null;
  onPress?: () => void;
}

/** A button. One that is disabled shows why. */
export function Button({
  children,
  variant = 'secondary',
  type = 'button',
  pending,
  disabledReason,
  onPress,
}: ButtonProps) {
  const reasonId = useId();
  const disabled = disabledReason !== undefined && disabledReason !== null;
  const button = (
    <AriaButton
      type={pending ? 'button' : type}
      className={`button button-${variant}`}
      isDisabled={disabled}
      {...(disabled ? { 'aria-describedby': reasonId } : {})}
      {...(onPress && !pending ? { onPress } : {})}
    >
      {pending ? <span className="spinner" aria-hidden="true" /> : null}
      <span>{children}</span>
      {pending ? <span className="visually-hidden">{t.common.working}</span> : null}
    </AriaButton>
  );
  if (!disabled) return button;
  return (
    <span className="button-with-reason">
      {button}
      <span className="reason" id={reasonId}>
        {disabledReason}
      </span>
    </span>
  );
}
