import { parseArgs } from 'node:util';
import { isDomainError } from '@cardwright/protocol';
import { personAt } from '../ceremony/person.tty.ts';
import { readConfig } from '../config.env.ts';
import { PROVIDER_NAMES } from '../provider.ts';
import { runAcknowledge } from '../record/acknowledge-command.pg.ts';
import { initCommand } from './init.cli.ts';
import type { CommandContext } from './key-work.cli.ts';
import { moveProviderCommand } from './move-provider.cli.ts';
import { recoverCommand } from './recover.cli.ts';
import { rotateKekCommand } from './rotate-kek.cli.ts';

export const USAGE = `usage: main.js [--init]                          serve
       main.js init --shares N --threshold M      key ceremony
       main.js recover [--check]                  lost keys back, from shares
       main.js rotate-kek                         a new key-encryption key
       main.js move-provider --to file|pkcs11     all keys to the other provider
       main.js audit [--cms-database-url-file FILE | --cms-events FILE] [--json]
                                                  verify the record, compare it with the audit log of cms
       main.js acknowledge-record --by NAME --reason TEXT
                                                  serve although the record is not as the vault left it`;

class UsageError extends Error {}

const COMMANDS: Readonly<Record<string, (context: CommandContext, args: readonly string[]) => Promise<void>>> = {
  'rotate-kek': async (context, args) => {
    options(args, {});
    await rotateKekCommand(context);
  },
  'move-provider': async (context, args) => {
    const to = PROVIDER_NAMES.find((name) => name === options(args, { to: { type: 'string' } }).to);
    if (to === undefined) throw new UsageError();
    await moveProviderCommand(context, to);
  },
  'acknowledge-record': async ({ env, say }, args) => {
    const { by, reason } = options(args, { by: { type: 'string' }, reason: { type: 'string' } });
    say(await runAcknowledge({ by, reason }, env));
  },
  init: async (context, args) => {
    const given = options(args, { shares: { type: 'string' }, threshold: { type: 'string' } });
    const [shares, threshold] = [Number(given.shares), Number(given.threshold)];
    if (!Number.isInteger(shares) || !Number.isInteger(threshold)) throw new UsageError();
    await withPerson((person) => initCommand(context, { shares, threshold }, person));
  },
  recover: async (context, args) => {
    const check = options(args, { check: { type: 'boolean' } }).check === true;
    await withPerson((person) => recoverCommand(context, check, person));
  },
};

export const isCommand = (name: string | undefined): name is string =>
  name !== undefined && Object.hasOwn(COMMANDS, name);

/** @returns the exit status: 0 done, 1 refused or failed (the last line names the code), 2 usage. */
export async function runCommand(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  try {
    await COMMANDS[name]?.({ config: readConfig(env), env, say }, args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${USAGE}\n`);
      return 2;
    }
    const code = isDomainError(error) ? error.code : 'internal';
    const detail = isDomainError(error) ? error.detail : String((error as Error).message);
    process.stderr.write(`${detail} [${code}]\n`);
    return 1;
  }
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

function options(args: readonly string[], wanted: NonNullable<Options>): Record<string, unknown> {
  try {
    return parseArgs({ args: [...args], options: wanted, strict: true }).values;
  } catch {
    throw new UsageError();
  }
}

async function withPerson(work: (person: ReturnType<typeof personAt>) => Promise<void>): Promise<void> {
  const person = personAt(process.stdin, process.stdout);
  try {
    await work(person);
  } finally {
    person.end();
  }
}
