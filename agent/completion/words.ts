import type { OptionSpec } from '../arguments.ts';
import type { Command } from '../commands/command.ts';

/** What a shell may offer after a command. */
export interface CompletedOption {
  /** With its dashes. */
  readonly name: string;
  readonly about: string;
  /** What its value is: a path to offer, or something that only the person knows. */
  readonly value: 'none' | 'file' | 'directory' | 'unknown';
}

export function optionsOf(command: Command): CompletedOption[] {
  return Object.entries(command.options).map(([name, spec]) => ({
    name: `--${name}`,
    about: spec.about,
    value: valueKind(spec),
  }));
}

/** The placeholder of the help says what a value is. */
function valueKind(spec: OptionSpec): CompletedOption['value'] {
  if (spec.kind === 'flag') return 'none';
  if (spec.value === 'FILE') return 'file';
  return spec.value === 'DIR' ? 'directory' : 'unknown';
}

export const wordsOf = (command: Command): readonly string[] => command.word?.values ?? [];
