import type { Command } from '../commands/command.ts';
import { optionsOf, wordsOf } from './words.ts';

export function fishCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const lines = [
    '# Completion of cardwright-agent for fish, made by: cardwright-agent completion fish',
    'complete -c cardwright-agent -f',
    `complete -c cardwright-agent -n 'not __fish_seen_subcommand_from ${names}' -l help -d 'show the help'`,
    `complete -c cardwright-agent -n 'not __fish_seen_subcommand_from ${names}' -l version -d 'show the version'`,
    ...commands.flatMap((command) => linesOf(command, names)),
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf(command: Command, names: string): string[] {
  const after = `complete -c cardwright-agent -n '__fish_seen_subcommand_from ${command.name}'`;
  return [
    `complete -c cardwright-agent -n 'not __fish_seen_subcommand_from ${names}' -a ${command.name} -d ${quoted(command.summary)}`,
    ...wordsOf(command).map((word) => `${after} -a ${word}`),
    ...optionsOf(command).map(
      ({ name, about, value }) => `${after} -l ${name.slice(2)} -d ${quoted(about)}${VALUE[value]}`,
    ),
  ];
}

const VALUE = {
  none: '',
  file: ' -r -F',
  directory: " -x -a '(__fish_complete_directories)'",
  unknown: ' -x',
} as const;

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
