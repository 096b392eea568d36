import type { Command } from './commands/command.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { ENVIRONMENT, usage } from './help.ts';

/** The manual page, from the tables that `--help` is made from. In the macros of man(7), which every man can read. */
export function manualPage(commands: readonly Command[], version: string): string {
  return [
    `.TH CARDWRIGHT\\-AGENT 1 "" "cardwright ${roff(version)}" "User Commands"`,
    '.SH NAME',
    'cardwright\\-agent \\- smart cards in the TPM of this device',
    '.SH SYNOPSIS',
    '.B cardwright\\-agent',
    '.I COMMAND',
    '[options]',
    '.br',
    '.B cardwright\\-agent',
    '.RI [ COMMAND ]',
    '.B \\-\\-help',
    '.br',
    '.B cardwright\\-agent \\-\\-version',
    '.SH DESCRIPTION',
    'Makes smart cards in the TPM of this device, and uses, unblocks and destroys them. The TPM enforces the rules of a',
    'card: not even root can try PINs beyond the limit, use a key without the PIN, or copy it.',
    '.PP',
    'PINs are typed without echo, or read from standard input (\\-\\-pin\\-stdin); never given on a command line.',
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, about]) => term(`.B ${roff(name)}`, about)),
    '.SH EXIT STATUS',
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => term(`.B ${code}`, meaning)),
    '.PP',
    'An error is one line on standard error, and ends with a code that does not change between versions:',
    '.PP',
    '.EX',
    'cardwright\\-agent: WHAT WAS WRONG [CODE]',
    '.EE',
    '.SH FILES',
    ...term(
      '.I ~/.local/share/cardwright',
      'the store of a person, unless \\fBXDG_DATA_HOME\\fR says otherwise',
      'as is',
    ),
    ...term('.I /var/lib/cardwright', 'the store of root, and of the service'),
    ...term('.I /dev/tpmrm0', 'the TPM, with the resource manager of the kernel; its group is usually tss'),
    '',
  ]
    .filter((line, index, all) => line !== '' || index === all.length - 1)
    .join('\n');
}

function section(command: Command): string[] {
  return [
    `.SS ${roff(command.name)}`,
    `.B cardwright\\-agent ${roff(command.name)}`,
    roff(usage(command)),
    '.PP',
    roff(command.about),
    ...(command.word === undefined
      ? []
      : term(`.I ${roff(command.word.name)}`, `${command.word.about}: ${command.word.values.join(', ')}`)),
    ...Object.entries(command.options).flatMap(([name, spec]) =>
      term(`.BR ${roff(`--${name}`)}${spec.kind === 'flag' ? '' : ` " " \\fI${roff(spec.value)}\\fR`}`, spec.about),
    ),
    '.PP',
    command.examples.length === 1 ? 'Example:' : 'Examples:',
    '.PP',
    '.EX',
    ...command.examples.flatMap((example) => example.split('\n').map(roff)),
    '.EE',
  ];
}

const term = (tag: string, about: string, as: 'text' | 'as is' = 'text'): string[] => [
  '.TP',
  tag,
  as === 'text' ? roff(about) : about,
];

/** Text as roff shows it unchanged: backslashes, hyphens that are meant as such, and what begins a request. */
export function roff(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/~/g, '\\(ti')
    .replace(/\^/g, '\\(ha')
    .replace(/`/g, '\\(ga')
    .replace(/'/g, '\\(aq')
    .replace(/^\./gm, '\\&.');
}
