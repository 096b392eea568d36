import { dirname, join } from 'node:path';
import { DomainError } from '@cardwright/protocol';

/**
 * VAULT_RECORD_CHECKPOINT_FILE: what the vault remembers of its record outside of the database. Without it: the file
 * `record-checkpoint` beside VAULT_KEYS_FILE. Its directory must be the vault's alone, and in no backup of the database.
 * @throws DomainError `configuration-invalid` (unprocessable).
 */
export function readCheckpointPath(env: NodeJS.ProcessEnv): string {
  const { VAULT_RECORD_CHECKPOINT_FILE: given, VAULT_KEYS_FILE: keysFile } = env;
  if (given !== undefined && given !== '') return given;
  if (keysFile !== undefined && keysFile !== '') return join(dirname(keysFile), 'record-checkpoint');
  throw new DomainError(
    'unprocessable',
    'configuration-invalid',
    'VAULT_RECORD_CHECKPOINT_FILE must be set: a file, in a directory of the vault.',
  );
}
