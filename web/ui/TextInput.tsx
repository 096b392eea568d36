import { type HTMLInputAutoCompleteAttribute, useId } from 'react';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Text } from 'react-aria-components/Text';
import { TextField } from 'react-aria-components/TextField';
import { en as t } from '../texts/en.ts';

interface TextInputProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  name?: string;
  hint?: string | undefined;
  /** what is wrong with the value; announced when it appears */
  error?: string | undefined;
  /** said below the field when the value is right */
  confirmation?: string | undefined;
  optional?: boolean;
  /** for codes: fixed-width letters, no spelling help, no autofill */
  code?: boolean;
  type?: 'text' | 'password' | 'email' | 'datetime-local';
  autoComplete?: HTMLInputAutoCompleteAttribute;
  maxLength?: number;
  autoFocus?: boolean;
  readOnly?: boolean;
  inputRef?: React.Ref<HTMLInputElement>;
}

/** A labelled field with its hint and its error, tied together for assistive technology. */
export function TextInput(props: TextInputProps) {
  const errorId = useId();
  const className = `input${props.code ? ' input-code' : ''}`;
  const described = props.error ? { 'aria-describedby': errorId } : {};
  return (
    <TextField
      className="field"
      value={props.value}
      onChange={props.onChange}
      isInvalid={props.error !== undefined}
      isReadOnly={props.readOnly ?? false}
      validationBehavior="aria"
      type={props.type ?? 'text'}
      maxLength={props.maxLength ?? 500}
      autoComplete={props.autoComplete ?? 'off'}
      {...(props.code ? { spellCheck: 'false' as const, autoCorrect: 'off', inputMode: 'text' as const } : {})}
      {...(props.onBlur ? { onBlur: props.onBlur } : {})}
      {...(props.name ? { name: props.name } : {})}
      {...described}
    >
      <Label className="label">
        {props.label}
        {props.optional ? <span className="optional"> {t.common.optional}</span> : null}
      </Label>
      {props.hint ? (
        <Text slot="description" className="hint">
          {props.hint}
        </Text>
      ) : null}
      <Input className={className} autoFocus={props.autoFocus ?? false} ref={props.inputRef} />
      <FieldProblem id={errorId} error={props.error} />
      {props.confirmation && !props.error ? <span className="confirmation">{props.confirmation}</span> : null}
    </TextField>
  );
}

/** The error of one field, at the field; announced when it appears. */
export function FieldProblem({ id, error }: { id: string; error: string | undefined }) {
  if (error === undefined) return null;
  return (
    <span id={id} role="alert" className="field-error">
      {error}
    </span>
  );
}
