import type { Command } from './commands/command.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { table } from './terminal/printable.ts';

const WIDTH = 100;

/** What the agent reads of its environment, for people. */
export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['CARDWRIGHT_TPM', 'the TPM, where --tpm is not given'],
  ['CARDWRIGHT_STORE', 'the store, where --store is not given'],
  ['NODE_EXTRA_CA_CERTS', "a file with the CA of the server's TLS certificate (PEM), for enrol and trust-server"],
  ['HTTPS_PROXY, NO_PROXY', 'a proxy (http://host:port) on the way to servers, and which servers to reach without'],
  ['PCSCLITE_CSOCK_NAME', 'the socket of pcscd, where it is not /run/pcscd/pcscd.comm (for take-over)'],
  ['CARDWRIGHT_DEBUG=1', 'show where an unexpected error came from'],
];

/** `cardwright-agent --help` */
export function generalHelp(commands: readonly Command[]): string {
  return [
    'cardwright-agent: smart cards in the TPM of this device.',
    '',
    'Usage: cardwright-agent COMMAND [options]',
    '       cardwright-agent COMMAND --help',
    '       cardwright-agent --help | --version',
    '',
    'Commands:',
    indent(table(commands.map(({ name, summary }) => [name, summary]))),
    '',
    'Examples:',
    indent(commands.flatMap(({ examples }) => examples.slice(0, 1)).join('\n')),
    '',
    'PINs are typed without echo, or read from standard input (--pin-stdin); never given on a command line.',
    '',
    'Environment:',
    indent(table(ENVIRONMENT)),
    '',
    'Exit codes:',
    indent(table(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]))),
    '',
    'An error is one line on standard error: cardwright-agent: <what was wrong> [code]',
  ].join('\n');
}

/** `cardwright-agent COMMAND --help` */
export function commandHelp(command: Command): string {
  return [
    `Usage: cardwright-agent ${command.name} ${usage(command)}`,
    '',
    wrap(command.about),
    '',
    ...explained(command),
    command.examples.length === 1 ? 'Example:' : 'Examples:',
    indent(command.examples.join('\n')),
  ].join('\n');
}

function explained({ word, options }: Command): string[] {
  const rows = [
    ...(word === undefined ? [] : [[word.name, `${word.about}: ${word.values.join(', ')}`]]),
    ...Object.entries(options).map(([name, spec]) => [
      spec.kind === 'flag' ? `--${name}` : `--${name} ${spec.value}`,
      spec.about,
    ]),
  ];
  return rows.length === 0 ? [] : ['Options:', indent(table(rows)), ''];
}

/** What may follow the command's name. */
export function usage({ word, options }: Pick<Command, 'word' | 'options'>): string {
  const shown = Object.entries(options).map(([name, spec]) => {
    if (spec.kind === 'required') return `--${name} ${spec.value}`;
    return spec.kind === 'text' ? `[--${name} ${spec.value}]` : `[--${name}]`;
  });
  return [...(word === undefined ? [] : [word.name]), ...shown].join(' ');
}

const indent = (text: string) =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}
