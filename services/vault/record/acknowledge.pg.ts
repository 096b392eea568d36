import { rename } from 'node:fs/promises';
import { isDomainError } from '@cardwright/protocol';
import type { Database } from '../pool.pg.ts';
import type { KeyProvider } from '../provider.ts';
import { openCheckpointFile } from './checkpoint.file.ts';
import { BEGINNING, NO_CARD } from './entry.ts';
import { findHead, openRecord } from './open-record.pg.ts';
import { vaultRecord } from './record.pg.ts';
import { recordSigner } from './signer.ts';

export interface AcknowledgeOptions {
  readonly database: Database;
  readonly provider: Pick<KeyProvider, 'masterVersion' | 'derive'>;
  readonly checkpointFile: string;
  /** Who looked into it, and what was found: they stay in the record. One line of at most 200 characters each. */
  readonly by: string;
  readonly reason: string;
  readonly now: () => number;
}

const REFUSALS = /^vault-record-(rolled-back|altered|unsigned|checkpoint-missing|checkpoint-invalid)$/;

/**
 * An operator at the vault's host accepts the record as the database has it. That is an entry of the record itself and an
 * alert, and the checkpoint begins anew after it; what was lost stays lost, and `audit` shows it for ever.
 * @returns the code of what was acknowledged; null when there is nothing to acknowledge, and then nothing is written.
 */
export async function acknowledgeRecord(options: AcknowledgeOptions): Promise<string | null> {
  const { database, provider, checkpointFile, now } = options;
  const code = await whatIsRefused(options);
  if (code === null) return null;
  const signer = await recordSigner(provider);
  if (code === 'vault-record-checkpoint-invalid') await rename(checkpointFile, `${checkpointFile}.invalid-${now()}`);
  const file = await openCheckpointFile(checkpointFile, signer);
  try {
    const record = vaultRecord({
      database,
      signer,
      head: (await findHead(database)) ?? BEGINNING,
      alerts: { wants: () => true },
      now,
      isOwnSignature: async () => false,
      onHead: (head) => file.beginEpoch(head),
      onForeign: () => undefined,
      onAlert: () => undefined,
    });
    await record.record(
      {
        operation: 'vault.record-acknowledged',
        cardId: NO_CARD,
        keyVersion: null,
        requestedBy: options.by,
        requestId: options.reason,
        challengeDigest: null,
      },
      code,
    );
    return code;
  } finally {
    await file.close();
  }
}

async function whatIsRefused(options: AcknowledgeOptions): Promise<string | null> {
  const ignore = () => undefined;
  try {
    await (await openRecord({ ...options, onAlert: ignore, onForeign: ignore })).close();
    return null;
  } catch (error) {
    if (isDomainError(error) && REFUSALS.test(error.code)) return error.code;
    throw error;
  }
}
