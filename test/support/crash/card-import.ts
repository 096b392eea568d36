import { randomBytes } from 'node:crypto';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository } from '@cardwright/infra';
import { expect } from 'vitest';
import { registerPerson } from '../people.ts';
import type { Ran } from '../run.ts';
import { bothRecordsAgree } from '../vault-audit.ts';
import { answersAsOpenssl, type KnownKey } from './resets.ts';
import type { TappedSystem } from './tapped-system.ts';
import type { Driver } from './victim.ts';

const CLI = inRepository('services', 'cms', 'dist', 'import-cards.cli.js');
const [BATCH, BATCHES] = [2, 3];
const ALGORITHMS = ['tdes', 'aes-256'] as const;
const KEY_BYTES = { tdes: 24, 'aes-256': 32 } as const;

/** A file of existing cards with keys that are known here, and the command that takes them in, to be repeated at will. */
export interface CardFile {
  readonly cards: readonly (Omit<KnownKey, 'cardId'> & { readonly serial: string })[];
  takeIn(): Promise<Ran>;
}

export async function newCardFile({ system, url }: TappedSystem, command: Driver): Promise<CardFile> {
  const { userPrincipalName } = await registerPerson(system, 'Imelda Import');
  const cards = Array.from({ length: BATCH * BATCHES }, (_, at) => {
    const algorithm = ALGORITHMS[at % ALGORITHMS.length] as (typeof ALGORITHMS)[number];
    const serial = `OLD-${randomBytes(5).toString('hex')}`;
    return { serial, algorithm, key: randomBytes(KEY_BYTES[algorithm]) };
  });
  const rows = cards.map(({ serial, algorithm, key }) =>
    [serial, userPrincipalName, algorithm, key.toString('hex')].join(','),
  );
  const file = join(system.data.path, `cards-${randomBytes(4).toString('hex')}.csv`);
  writeFileSync(file, `serial,person,algorithm,administratorKey\n${rows.join('\n')}\n`, { mode: 0o600 });
  const tokenFile = join(system.data.path, 'officer-token');
  writeFileSync(tokenFile, system.tokens['security-officer'], { mode: 0o600 });
  const args = ['--url', url('command'), '--token-file', tokenFile, '--file', file, '--batch', String(BATCH)];
  return { cards, takeIn: () => command.run(process.execPath, [CLI, ...args]) };
}

/** Lets the vault forget that it ever took anything in: some steps are those of the first import alone. */
export async function beforeAnyImport(tapped: TappedSystem): Promise<() => Promise<void>> {
  const { vault } = tapped.system.processes;
  const folder = tapped.system.data.vault;
  await vault.stop();
  await tapped.copyDatabase('before_any_import');
  cpSync(folder, `${folder}.kept`, { recursive: true });
  await vault.start();
  await tapped.ready();
  return async () => {
    await vault.stop();
    await tapped.restoreDatabase('before_any_import');
    rmSync(folder, { recursive: true });
    cpSync(`${folder}.kept`, folder, { recursive: true });
    await vault.start();
    await tapped.ready();
  };
}

/** Has the worker go on now with what was cut off, and not when a request that is still at it would have had its time. */
export async function cutOffLongAgo({ system }: TappedSystem): Promise<void> {
  await system.query(
    `update card_imports set created_at = created_at - interval '1 minute'
      where state = 'proposed' and created_at < now() - interval '1 second'`,
  );
}

/**
 * The same command again takes in what is missing. Then each card is there once and answers by its own key; no key is
 * without a card and no card without a key; and the two records agree.
 */
export async function importCompletes(tapped: TappedSystem, { cards, takeIn }: CardFile): Promise<void> {
  const { system } = tapped;
  await tapped.ready();
  const again = await takeIn();
  expect(again.exitCode, again.stdout + again.stderr).toBe(0);
  const serials = cards.map(({ serial }) => serial);
  const stored = await system.query('select id, serial, state from cards where serial = any ($1)', [serials]);
  expect(stored.map(({ serial }) => serial).sort()).toEqual(serials.toSorted());
  for (const { serial, algorithm, key } of cards) {
    const { id, state } = stored.find((card) => card.serial === serial);
    expect(state).toBe('active');
    await answersAsOpenssl(system, { cardId: id, algorithm, key });
  }
  const alone = await system.query(
    `select k.card_id from vault.administrator_keys k left join cards c on c.id = k.card_id where c.id is null
      union all
      select c.id from cards c left join vault.administrator_keys k on k.card_id = c.id and k.state = 'confirmed'
        where c.serial like 'OLD-%' and k.card_id is null`,
  );
  expect(alone).toEqual([]);
  await bothRecordsAgree(system);
}
