import { DomainError } from '@cardwright/protocol';
import { readConfig } from '../config.env.ts';
import { openVaultKeys } from '../open-keys.pg.ts';
import { connectDatabase } from '../pool.pg.ts';
import { acknowledgeRecord } from './acknowledge.pg.ts';
import { readCheckpointPath } from './record.env.ts';

/**
 * @returns what to tell the operator.
 * @throws DomainError `acknowledgement-incomplete` (invalid), and those of opening the keys and the database.
 */
export async function runAcknowledge(
  given: { readonly by: unknown; readonly reason: unknown },
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const [by, reason] = [oneLine(given.by, 'by'), oneLine(given.reason, 'reason')];
  const config = readConfig(env);
  const database = connectDatabase(config.databaseUrl, () => undefined);
  try {
    const provider = await openVaultKeys(config, database, false);
    try {
      const checkpointFile = readCheckpointPath(env);
      const now = () => Date.now();
      const code = await acknowledgeRecord({ database, provider, checkpointFile, by, reason, now });
      return code === null
        ? 'the record is as the vault left it: there is nothing to acknowledge'
        : `acknowledged: ${code}. The vault serves again when it is started; audit shows what the record lacks`;
    } finally {
      await provider.close();
    }
  } finally {
    await database.close();
  }
}

function oneLine(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(value)) return value;
  throw new DomainError(
    'invalid',
    'acknowledgement-incomplete',
    `--${name} must be given: one line, 1 to 200 characters.`,
  );
}
