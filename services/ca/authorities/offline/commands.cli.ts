import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DomainError, isDomainError } from '@cardwright/protocol';
import { importIssuing, importRootCrl, requestRoot } from './exchange.pg.ts';
import { checkRootCopy, exportRoot, removeRoot } from './root-key.file.ts';
import { signIssuingHere, signRootCrlHere } from './signing.file.ts';

export const USAGE = `usage: main.js                                              serve
  at the CA:
       main.js root-export --to FILE                        a sealed copy of the root's key
       main.js root-remove --copy FILE                      check the copy, then destroy the key here
       main.js root-request --to FILE                       what is needed to sign offline
       main.js root-import-crl --from FILE
       main.js root-import-issuing --from FILE
  where the copy is:
       main.js root-check --copy FILE
       main.js root-sign-crl --copy FILE --request FILE --to FILE [--days N] [--revoke-issuing]
       main.js root-sign-issuing --copy FILE --request FILE --to FILE [--days N]`;

type Environment = Readonly<Record<string, string | undefined>>;
interface Given {
  readonly env: Environment;
  readonly now: Date;
  file(name: 'to' | 'from' | 'copy' | 'request'): string;
  days(otherwise: number): number;
  readonly revokeIssuing: boolean;
}

/** Each gives what to tell. */
const COMMANDS: Readonly<Record<string, (given: Given) => Promise<string>>> = {
  'root-export': async ({ env, file }) => {
    const { text, fingerprint } = await exportRoot(env);
    await create(file('to'), text);
    return `the root ${fingerprint} is in ${file('to')}, sealed; the key is still here`;
  },
  'root-check': async ({ env, file }) =>
    `the copy opens, and its key is that of ${await checkRootCopy(env, await read(file('copy')))}`,
  'root-remove': async ({ env, file, now }) => {
    const fingerprint = await removeRoot(env, await read(file('copy')), now);
    return `the key of the root ${fingerprint} is destroyed here; start the CA anew, for it has it in memory`;
  },
  'root-request': async ({ env, file }) => {
    await create(file('to'), await requestRoot(env));
    return `${file('to')} goes to where the root's key is`;
  },
  'root-sign-crl': async ({ env, file, days, now, revokeIssuing }) => {
    const texts = { copy: await read(file('copy')), request: await read(file('request')) };
    const { der, told } = await signRootCrlHere(env, texts, { days: days(180), now, revokeIssuing });
    await create(file('to'), der);
    return told;
  },
  'root-sign-issuing': async ({ env, file, days, now }) => {
    const texts = { copy: await read(file('copy')), request: await read(file('request')) };
    const { der, told } = await signIssuingHere(env, texts, { days: days(3652), now });
    await create(file('to'), der);
    return told;
  },
  'root-import-crl': async ({ env, file, now }) => importRootCrl(env, await readBytes(file('from')), now),
  'root-import-issuing': async ({ env, file, now }) => importIssuing(env, await readBytes(file('from')), now),
};

export const isCommand = (name: string | undefined): name is string =>
  name !== undefined && Object.hasOwn(COMMANDS, name);

class UsageError extends Error {}

/** @returns the exit status: 0 done, 1 refused or failed (the last line names the code), 2 usage. */
export async function runCommand(name: string, args: readonly string[], env: Environment): Promise<number> {
  try {
    process.stdout.write(`${await COMMANDS[name]?.(given(args, env))}\n`);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${USAGE}\n`);
      return 2;
    }
    const [detail, code] = isDomainError(error) ? [error.detail, error.code] : [String(error), 'internal'];
    process.stderr.write(`${detail} [${code}]\n`);
    return 1;
  }
}

function given(args: readonly string[], env: Environment): Given {
  const values = parsed(args);
  return {
    env,
    now: new Date(),
    file: (name) => {
      const path = values[name];
      if (typeof path !== 'string' || path === '') throw new UsageError();
      return path;
    },
    days: (otherwise) => {
      const days = Number(values.days ?? otherwise);
      if (!Number.isInteger(days) || days < 1 || days > 7305) throw new UsageError();
      return days;
    },
    revokeIssuing: values['revoke-issuing'] === true,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    to: text,
    from: text,
    copy: text,
    request: text,
    days: text,
    'revoke-issuing': { type: 'boolean' },
  };
  try {
    return parseArgs({ args: [...args], options: options as Record<string, { type: 'string' | 'boolean' }> }).values;
  } catch {
    throw new UsageError();
  }
}

const MAX_BYTES = 1_048_576;

async function readBytes(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new DomainError('invalid', 'file-unreadable', `${path} can't be read (${cause.code})`, { cause });
  });
  if (bytes.length > MAX_BYTES) throw new DomainError('invalid', 'file-unreadable', `${path} is over 1 MiB`);
  return bytes;
}
const read = async (path: string): Promise<string> => (await readBytes(path)).toString('utf8');

/** Never over another file, and durable: a copy of the root's key may be the only one a moment later. */
async function create(path: string, content: string | Buffer): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = await open(path, flags, 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw new DomainError('conflict', 'file-not-made', `${path} can't be made (${cause.code})`, { cause });
  });
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
