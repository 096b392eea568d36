import { DomainError, isDomainError } from '@cardwright/protocol';
import { parseOptions } from './arguments.ts';
import { approveCommand } from './commands/approve.ts';
import { certificateCommand } from './commands/certificate.ts';
import { changePinCommand } from './commands/change-pin.ts';
import type { Command, Context } from './commands/command.ts';
import { completionCommand } from './commands/completion.ts';
import { destroyCommand } from './commands/destroy.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enrolCommand } from './commands/enrol.ts';
import { handOverCommand } from './commands/hand-over.ts';
import { listCommand } from './commands/list.ts';
import { manualCommand } from './commands/manual.ts';
import { messagesCommand } from './commands/messages.ts';
import { protectLockoutCommand } from './commands/protect-lockout.ts';
import { renewCommand } from './commands/renew.ts';
import { resetLockoutCommand } from './commands/reset-lockout.ts';
import { runCommand } from './commands/run.ts';
import { signCommand } from './commands/sign.ts';
import { statusCommand } from './commands/status.ts';
import { takeOverCommand } from './commands/take-over.ts';
import { trustServerCommand } from './commands/trust-server.ts';
import { unblockCommand } from './commands/unblock.ts';
import { EXIT, failureOf } from './exit-codes.ts';
import { commandHelp, generalHelp } from './help.ts';
import { printable } from './terminal/printable.ts';
import { VERSION } from './version.ts';

export const COMMANDS: readonly Command[] = [
  enrolCommand,
  handOverCommand,
  listCommand,
  statusCommand,
  signCommand,
  certificateCommand,
  changePinCommand,
  unblockCommand,
  approveCommand,
  destroyCommand,
  renewCommand,
  runCommand,
  takeOverCommand,
  messagesCommand,
  trustServerCommand,
  doctorCommand,
  protectLockoutCommand,
  resetLockoutCommand,
  completionCommand(() => COMMANDS),
  manualCommand(() => COMMANDS, VERSION),
];

export interface Invocation {
  readonly argv: readonly string[];
  readonly version: string;
  readonly debug: boolean;
}

/** Runs one command and gives the exit code. The only place where errors are printed. */
export async function run(context: Context, { argv, version, debug }: Invocation): Promise<number> {
  const [name, ...rest] = argv;
  const json = argv.includes('--json');
  try {
    if (name === '--version') {
      context.output.print(version);
      return EXIT.done;
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      context.output.print(generalHelp(COMMANDS));
      return name === undefined ? EXIT.usage : EXIT.done;
    }
    const command = COMMANDS.find((known) => known.name === name);
    if (command === undefined) {
      throw new DomainError(
        'invalid',
        'command-unknown',
        `No such command. There are: ${COMMANDS.map((known) => known.name).join(', ')}. See cardwright-agent --help.`,
      );
    }
    if (rest.includes('--help') || rest.includes('-h')) {
      context.output.print(commandHelp(command));
      return EXIT.done;
    }
    const [word, said] = command.word === undefined ? ['', rest] : takeWord(command.word, rest);
    await command.run(context, parseOptions(command.options, said), word);
    return EXIT.done;
  } catch (error) {
    const { exitCode, code, detail, data, fields } = failureOf(error);
    if (json) context.output.note(JSON.stringify({ error: { code, detail, data, fields, exitCode } }));
    else context.output.note(`cardwright-agent: ${printable(detail).replaceAll('\n', ' ')} [${code}]`);
    if (debug && !isDomainError(error) && error instanceof Error) context.output.note(error.stack ?? error.message);
    return exitCode;
  }
}

/** Throws `word-missing` (invalid). */
function takeWord(
  { name, values }: NonNullable<Command['word']>,
  rest: readonly string[],
): [string, readonly string[]] {
  const [word, ...said] = rest;
  if (word !== undefined && values.includes(word)) return [word, said];
  throw new DomainError('invalid', 'word-missing', `${name} is needed: ${values.join(', ')}.`);
}
