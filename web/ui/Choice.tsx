import { useId } from 'react';
import { Label } from 'react-aria-components/Label';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import { FieldProblem } from './TextInput.tsx';

/** One of a few: a group of radio buttons. Arrow keys choose. */
export function Choice<Value extends string>(props: {
  label: string;
  options: readonly { value: Value; label: string; hint?: string }[];
  value: Value | null;
  onChange: (value: Value) => void;
  error?: string | undefined;
}) {
  const errorId = useId();
  return (
    <RadioGroup
      className="field choice"
      value={props.value}
      onChange={(value) => props.onChange(value as Value)}
      isInvalid={props.error !== undefined}
      validationBehavior="aria"
      {...(props.error ? { 'aria-describedby': errorId } : {})}
    >
      <Label className="label">{props.label}</Label>
      <div className="choice-options">
        {props.options.map((option) => (
          <Radio key={option.value} value={option.value} className="radio">
            <span className="radio-dot" aria-hidden="true" />
            <span>
              {option.label}
              {option.hint ? <span className="radio-hint"> {option.hint}</span> : null}
            </span>
          </Radio>
        ))}
      </div>
      <FieldProblem id={errorId} error={props.error} />
    </RadioGroup>
  );
}
