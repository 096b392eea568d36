import { DomainError, isDomainError } from '@cardwright/protocol';
import { rewrap } from '../sealing.ts';
import type { KekRecord } from './keks.pg.ts';
import type { Rotation, SealedRow, SealedTable } from './ports.ts';

/** Rows that do not open, shown in the refusal; all of them are counted. */
const SHOWN = 5;

/** Something of an earlier run is left to do. */
export function isUnfinished(keks: readonly KekRecord[]): boolean {
  return keks.some(({ state, destroyed }) => state === 'retiring' || (state === 'retired' && !destroyed));
}

/**
 * Completes whatever has begun: re-wraps all that is sealed with a retiring KEK under the active one, then retires and
 * destroys those. Every step can be repeated: after a crash at any point, the next run goes on where this one was.
 * @returns how many rows were re-wrapped.
 * @throws DomainError `vault-rotation-incomplete` (conflict): rows do not open. Nothing that they need is destroyed.
 */
export async function rewrapAll(rotation: Rotation): Promise<number> {
  const { keyring, keks } = rotation;
  await keyring.refresh();
  const before = await keks.list();
  const retiring = before.filter(({ state }) => state === 'retiring');
  const progress = { done: 0, total: 0, broken: [] as string[] };
  for (const { version } of retiring) {
    for (const table of rotation.tables) progress.total += await table.count(version);
  }
  for (const { version } of retiring) {
    for (const table of rotation.tables) await rewrapTable(rotation, table, version, progress);
  }
  if (progress.broken.length > 0) throw incomplete(progress.broken);
  for (const { version } of retiring) await keks.retire(version);
  for (const { version, state, provider } of await keks.list()) {
    if (state !== 'retired' || before.some((kek) => kek.version === version && kek.destroyed)) continue;
    await destroy(rotation, version, provider);
  }
  await keyring.refresh();
  return progress.done;
}

async function rewrapTable(
  { keyring, batchRows, stillOurTurn, say }: Rotation,
  table: SealedTable,
  version: number,
  progress: { done: number; total: number; broken: string[] },
): Promise<void> {
  let after: SealedRow['id'] | undefined;
  for (;;) {
    const rows = await table.next(version, after, batchRows);
    after = rows.at(-1)?.id;
    if (after === undefined) return;
    const renewed = [];
    for (const row of rows) {
      try {
        renewed.push({ row, blob: await rewrap(keyring, row.facts, row.blob) });
      } catch (error) {
        if (!isDomainError(error) || error.code !== 'vault-blob-invalid') throw error;
        progress.broken.push(`${table.name} ${row.id.join(' version ')}`);
      }
    }
    stillOurTurn();
    if (renewed.length > 0) await table.replace(renewed);
    progress.done += renewed.length;
    say(`  re-wrapped ${progress.done} of ${progress.total}`);
  }
}

async function destroy({ keyring, keks, recovery, say }: Rotation, version: number, provider: string): Promise<void> {
  // A backup of the database from before opens with that KEK: it goes from the recovery file too.
  await recovery?.removeKek(version);
  const holders = keyring.providers.filter(({ kekVersions }) => kekVersions.includes(version));
  if (holders.length === 0 && !keyring.providers.some(({ name }) => name === provider)) {
    say(`  KEK ${version} is unused, but its provider (${provider}) is not open: it could not be destroyed there`);
    return;
  }
  for (const holder of holders) await holder.destroyKek(version);
  await keks.noteDestroyed(version);
  say(`  KEK ${version} is retired and destroyed`);
}

function incomplete(broken: readonly string[]): DomainError {
  const more = broken.length > SHOWN ? ` and ${broken.length - SHOWN} more` : '';
  return new DomainError(
    'conflict',
    'vault-rotation-incomplete',
    `${broken.length} rows do not open and were left as they are: ${broken.slice(0, SHOWN).join(', ')}${more}. They were ` +
      'altered or put back from an older state: restore them, then run this again. The KEK before is kept.',
    { data: { broken: broken.length } },
  );
}
