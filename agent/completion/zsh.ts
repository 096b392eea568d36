import type { Command } from '../commands/command.ts';
import { type CompletedOption, optionsOf, wordsOf } from './words.ts';

/** To be called _cardwright-agent in a directory of $fpath. */
export function zshCompletion(commands: readonly Command[]): string {
  return `#compdef cardwright-agent
# Completion of cardwright-agent for zsh, made by: cardwright-agent completion zsh
_cardwright_agent() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments '--help[show the help]' '--version[show the version]'
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
_cardwright_agent "$@"
`;
}

function commandCase(command: Command): string {
  const words = wordsOf(command);
  const specs = [
    ...(words.length === 0 ? [] : [`1:${command.word?.name ?? ''}:(${words.join(' ')})`]),
    ...optionsOf(command).map(optionSpec),
    '--help[show the help]',
  ];
  return `    ${command.name}) _arguments ${specs.map(quoted).join(' ')} ;;`;
}

function optionSpec({ name, about, value }: CompletedOption): string {
  const described = `${name}[${escaped(about).replace(/[[\]]/g, '\\$&')}]`;
  return value === 'none' ? described : `${described}:value:${ACTION[value]}`;
}

const ACTION = { file: '_files', directory: '_files -/', unknown: '' } as const;

const escaped = (text: string): string => text.replace(/[\\:]/g, '\\$&');
const quoted = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`;
