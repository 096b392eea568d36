import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../support/run.ts';
import { everyKeyAnswers, type KeyedVault, keyedVault, movedAway } from '../../support/vault-keys-faults.ts';
import { NV, tpmCard } from './keyed-card.ts';
import { softParent } from './soft-parent.ts';
import { caller, codeOf } from './vault-process.ts';

const FOLDER = fileURLToPath(new URL('../../../infra/runbooks', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../services/vault/dist/main.js', import.meta.url));

/** The commands of a runbook, in their order: what stands in its `sh` blocks. */
function commandsOf(runbook: string): string[] {
  const text = readFileSync(join(FOLDER, `${runbook}.md`), 'utf8');
  const blocks = [...text.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].map(([, body = '']) => body);
  return blocks.flatMap((body) => body.split('\n').map((line) => line.trim())).filter((line) => line !== '');
}

let keyed: KeyedVault;
afterEach(() => keyed?.remove());

/** Runs a line as it stands there, with `vault` as the runbooks say. @param input what the people type. */
async function perform(line: string, input = '', env: Readonly<Record<string, string>> = {}) {
  const program = join(keyed.files.directory, 'vault');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(program, 0o755);
  const path = `${keyed.files.directory}:${process.env.PATH}`;
  return run('/bin/sh', ['-c', line], { env: { ...keyed.settings, ...env, PATH: path }, input });
}

async function performed(line: string, input = '', env: Readonly<Record<string, string>> = {}): Promise<void> {
  const ran = await perform(line, input, env);
  expect(ran, `${line}: ${ran.stderr}`).toMatchObject({ exitCode: 0 });
}

describe('the runbook', () => {
  it('key-ceremony makes a vault whose shares work', async () => {
    keyed = await keyedVault(1);
    const directory = join(keyed.files.directory, 'new');
    const place = { VAULT_KEYS_FILE: `${directory}.json`, VAULT_RECOVERY_FILE: `${directory}-recovery.json` };
    await keyed.forgetAllKeys();
    const [init = '', rehearsal = '', ...others] = commandsOf('key-ceremony');
    expect(others).toEqual([]);
    const ran = await perform(init, '\n'.repeat(5), place);
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
    const shown = ran.stdout.split(/^# Share .*$/m).slice(1);
    expect(shown).toHaveLength(5);
    await performed(rehearsal, shown.slice(1, 4).join('\n'), place);
  });

  it('rotate-kek rotates', async () => {
    keyed = await keyedVault(3);
    for (const line of commandsOf('rotate-kek')) await performed(line);
    await everyKeyAnswers(keyed);
    expect(await keyed.vault().client.health()).toMatchObject({ kekVersion: 2 });
  });

  it('move-provider moves', async () => {
    keyed = await keyedVault(3);
    for (const line of commandsOf('move-provider')) await performed(line);
    await movedAway(keyed);
  });

  it('recover-vault recovers', async () => {
    keyed = await keyedVault(3);
    await keyed.vault().stop();
    rmSync(keyed.files.keysFile);
    const input = `${keyed.shares.slice(0, 2).join('\n')}\n.\n`;
    for (const line of commandsOf('recover-vault')) await performed(line, input);
    await keyed.restart();
    await everyKeyAnswers(keyed);
  });

  it('change-keys leaves nothing that opens of a key that was changed', async () => {
    keyed = await keyedVault(2);
    const [{ cardId = '' } = {}] = keyed.keys;
    const { client } = keyed.vault();
    const parentPublic = softParent().public;
    const [before] = await keyed.query(`SELECT encode(sealed, 'hex') AS sealed, kek_version
      FROM vault.administrator_keys WHERE card_id = '${cardId}'`);
    await client.proposeReplacement({ ...caller, cardId, strategy: 'random-stored', parentPublic });
    await client.confirmChange({ ...caller, cardId, keyVersion: 2 });
    const checkpoint = { VAULT_RECORD_CHECKPOINT_FILE: join(keyed.files.directory, 'record.checkpoint') };
    const card = await tpmCard(client);
    const to = { ...caller, cardId: card.cardId, strategy: 'random-stored', parentPublic: card.parent.public } as const;
    await client.proposeSuccessor(to);
    await client.confirmChange({ ...caller, cardId: card.cardId, keyVersion: 2 });
    await client.proposeSuccessor(to);
    for (const line of commandsOf('change-keys')) await performed(line, '', checkpoint);
    const answer = (keyVersion: number) =>
      client.answerChallenge({ ...caller, cardId, keyVersion, challenge: new Uint8Array(16), mode: 'ecb' });
    await answer(2);
    // Successors are re-wrapped with all that their seals bind; the proposed one can still be confirmed.
    await client.confirmChange({ ...caller, cardId: card.cardId, keyVersion: 3 });
    const nonces = { resetNonce: new Uint8Array(16), writeNonce: new Uint8Array(16) };
    await client.resetTpmCard({ ...caller, cardId: card.cardId, keyVersion: 3, nvIndex: NV, ...nonces });
    // Somebody has the row of before, and the record with it: what was sealed does not open any more.
    await keyed.restart();
    await keyed.query(`ALTER TABLE vault.administrator_keys DISABLE TRIGGER USER;
      UPDATE vault.administrator_keys SET state = 'proposed', confirmed_at = NULL WHERE card_id = '${cardId}' AND key_version = 2;
      UPDATE vault.administrator_keys SET state = 'confirmed', superseded_at = NULL, kek_version = ${before?.kek_version},
        sealed = decode('${before?.sealed}', 'hex') WHERE card_id = '${cardId}' AND key_version = 1;
      ALTER TABLE vault.uses DISABLE TRIGGER USER;
      UPDATE vault.uses SET operation = 'key.describe' WHERE operation = 'key.confirm-change'`);
    const asked = { ...caller, cardId, keyVersion: 1, challenge: new Uint8Array(16), mode: 'ecb' } as const;
    expect(await codeOf(keyed.vault().client.answerChallenge(asked))).toBe('internal vault-blob-invalid');
  });

  it('acknowledge-record lets a vault serve on a database that was put back', async () => {
    keyed = await keyedVault(2);
    const backup = await keyed.query('SELECT max(id) AS last FROM vault.uses');
    await everyKeyAnswers(keyed);
    await keyed.vault().stop();
    const last = String(backup[0]?.last);
    await keyed.query(`ALTER TABLE vault.uses DISABLE TRIGGER USER; ALTER TABLE vault.record_signatures DISABLE TRIGGER USER;
      DELETE FROM vault.uses WHERE id > ${last}; DELETE FROM vault.record_signatures WHERE through > ${last}`);
    const checkpoint = { VAULT_RECORD_CHECKPOINT_FILE: join(keyed.files.directory, 'record.checkpoint') };
    const [audit = '', acknowledge = '', ...others] = commandsOf('acknowledge-record');
    expect(others).toEqual([]);
    expect(await perform(audit, '', checkpoint)).toMatchObject({ exitCode: 1 });
    await performed(acknowledge, '', checkpoint);
    await keyed.restart();
    await everyKeyAnswers(keyed);
  });

  it('of the vault are all performed here', () => {
    const ours = ['key-ceremony.md', 'move-provider.md', 'recover-vault.md', 'rotate-kek.md'];
    ours.push('change-keys.md', 'acknowledge-record.md');
    expect(readdirSync(FOLDER)).toEqual(expect.arrayContaining(ours));
    for (const name of ours) expect(commandsOf(name.replace('.md', '')).length).toBeGreaterThan(0);
  });
});
