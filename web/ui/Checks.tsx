import { useId } from 'react';
import { Checkbox } from 'react-aria-components/Checkbox';
import { CheckboxGroup } from 'react-aria-components/CheckboxGroup';
import { Label } from 'react-aria-components/Label';
import { FieldProblem } from './TextInput.tsx';

/** Any of a few: a group of check boxes. The space bar ticks. */
export function Checks<Value extends string>(props: {
  label: string;
  options: readonly { value: Value; label: string; hint?: string }[];
  value: readonly Value[];
  onChange: (value: Value[]) => void;
  error?: string | undefined;
}) {
  const errorId = useId();
  return (
    <CheckboxGroup
      className="field choice"
      value={[...props.value]}
      onChange={(value) => props.onChange(value as Value[])}
      isInvalid={props.error !== undefined}
      validationBehavior="aria"
      {...(props.error ? { 'aria-describedby': errorId } : {})}
    >
      <Label className="label">{props.label}</Label>
      <div className="choice-options">
        {props.options.map((option) => (
          <Checkbox key={option.value} value={option.value} className="radio">
            <span className="check-box" aria-hidden="true" />
            <span>
              {option.label}
              {option.hint ? <span className="radio-hint"> {option.hint}</span> : null}
            </span>
          </Checkbox>
        ))}
      </div>
      <FieldProblem id={errorId} error={props.error} />
    </CheckboxGroup>
  );
}
