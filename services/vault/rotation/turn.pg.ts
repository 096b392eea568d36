import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@cardwright/protocol';
import pg from 'pg';

/** pg_advisory_lock of whoever changes the vault's own keys. Any number that nothing else in the database uses. */
const LOCK = 72707370;
const PATIENCE_MS = 10_000;

export interface Turn {
  /** @throws DomainError `vault-database-unavailable`: the connection with the lock is gone, and the lock with it. */
  demand(): void;
  end(): Promise<void>;
}

/**
 * Only one process at a time changes the keys. The database lets go of the lock with the connection, so a process that was
 * killed holds up nobody for longer than its server takes to notice.
 * @throws DomainError `vault-keys-being-changed` (conflict), `vault-database-unavailable` (unavailable).
 */
export async function takeTurn(databaseUrl: string): Promise<Turn> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'cardwright-vault-keys' });
  let lost = false;
  client.on('error', () => {
    lost = true;
  });
  const away = (cause?: unknown) =>
    new DomainError('unavailable', 'vault-database-unavailable', 'The database of the vault does not answer.', {
      cause,
    });
  try {
    await client.connect();
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS mine', [LOCK]);
      if (rows[0]?.mine === true) break;
      if (performance.now() > deadline) throw taken();
      await delay(100);
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error instanceof DomainError ? error : away(error);
  }
  return {
    demand() {
      if (lost) throw away();
    },
    end: () => client.end(),
  };
}

function taken(): DomainError {
  return new DomainError(
    'conflict',
    'vault-keys-being-changed',
    'Another command is changing the keys of this vault: wait until it has ended.',
  );
}
