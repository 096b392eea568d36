import { useRef, useState } from 'react';
import { en as t } from '../texts/en.ts';
import { asSentence, inGroups } from '../ui/format.ts';
import { TextInput } from '../ui/TextInput.tsx';
import { type ChallengeFormat, checkLine, retype } from './challenge-input.ts';

/** The challenge, a field a line. A line that is right hands the focus on to the next. */
export function ChallengeFields(props: {
  format: ChallengeFormat;
  lines: readonly string[];
  onLines: (lines: string[]) => void;
  /** show also what is merely not finished */
  attempted: boolean;
}) {
  const { format, lines } = props;
  const inputs = useRef<(HTMLInputElement | null)[]>([]);
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const type = (index: number, typed: string) => {
    const next = retype(format, lines, index, typed);
    props.onLines(next);
    const wasRight = checkLine(format, index, lines[index] ?? '').state === 'right';
    if (format.kind === 'base32' && !wasRight && checkLine(format, index, next[index] ?? '').state === 'right') {
      inputs.current[index + 1]?.focus();
    }
  };
  const leave = (index: number) => {
    setLeft((before) => new Set([...before, index]));
    const tidy = inGroups(lines[index] ?? '');
    if (tidy !== lines[index]) props.onLines(lines.map((line, at) => (at === index ? tidy : line)));
  };
  const count = format.lengths.length;
  return (
    <div className="challenge-fields">
      {format.lengths.map((length, index) => {
        const typed = lines[index] ?? '';
        const line = checkLine(format, index, typed);
        const late = props.attempted || left.has(index);
        const error =
          line.state === 'wrong' || (line.state === 'partial' && late)
            ? asSentence(line.detail)
            : line.state === 'empty' && props.attempted
              ? t.unblock.lineMissing
              : undefined;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
          <div key={index}>
            <TextInput
              code
              label={count === 1 ? t.unblock.challenge : t.unblock.challengeLine(index + 1, count)}
              hint={format.kind === 'base32' ? t.unblock.lineHint(length) : t.unblock.hexHint}
              value={typed}
              maxLength={400}
              onChange={(value) => type(index, value)}
              onBlur={() => leave(index)}
              error={error}
              confirmation={line.state === 'right' ? t.unblock.lineRight : undefined}
              inputRef={(element) => {
                inputs.current[index] = element;
              }}
            />
          </div>
        );
      })}
    </div>
  );
}
