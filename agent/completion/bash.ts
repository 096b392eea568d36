import type { Command } from '../commands/command.ts';
import { optionsOf, wordsOf } from './words.ts';

/** Sourced by bash 4 or later; needs nothing of the bash-completion package. */
export function bashCompletion(commands: readonly Command[]): string {
  return `# Completion of cardwright-agent for bash, made by: cardwright-agent completion bash
_cardwright_agent() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W '${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]}:$previous in
${commands.flatMap(valueCases).join('\n')}
  esac
  case \${COMP_WORDS[1]} in
${commands.map(wordCase).join('\n')}
    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _cardwright_agent cardwright-agent
`;
}

/** After an option that takes a value: paths, or nothing, but not another option. */
function valueCases(command: Command): string[] {
  return (['file', 'directory', 'unknown'] as const).flatMap((value) => {
    const names = optionsOf(command).filter((option) => option.value === value);
    if (names.length === 0) return [];
    const patterns = names.map(({ name }) => `${command.name}:${name}`).join('|');
    return [`    ${patterns}) ${REPLY[value]}return ;;`];
  });
}

const REPLY = {
  file: 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); ',
  directory: 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); ',
  unknown: '',
} as const;

function wordCase(command: Command): string {
  const words = [...wordsOf(command), ...optionsOf(command).map(({ name }) => name), '--help'].join(' ');
  return `    ${command.name}) words='${words}' ;;`;
}
