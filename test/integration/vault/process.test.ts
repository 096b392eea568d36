import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyDatabase, type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { caller, codeOf, runVault, startVault, type VaultFiles, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;

beforeEach(async () => {
  files = vaultFiles();
  database = await testDatabase();
});
afterEach(async () => {
  files.remove();
  await database.drop();
});

async function storeOneKey(): Promise<void> {
  const vault = await startVault(files, database.urls.vault);
  const jwe = await sealed(await vault.client.importKey(), randomBytes(24).toString('hex'), 'CW-1');
  await vault.client.importAdministratorKey({
    ...caller,
    cardId: randomUUID(),
    cardSerial: 'CW-1',
    algorithm: 'tdes',
    jwe,
  });
  await vault.stop();
}

async function refusal(options: Parameters<typeof runVault>[2] = {}, url = database.urls.vault): Promise<string> {
  const { status, output } = await runVault(files, url, options);
  const code = /"code":"([a-z-]+)"/.exec(output)?.[1];
  return `${status} ${code}`;
}

describe('the vault process', () => {
  it('makes its keys on the first start with --init, and keeps them', async () => {
    const first = await startVault(files, database.urls.vault);
    expect(await first.client.health()).toEqual({ ready: true, provider: 'file', holders: ['file'], kekVersion: 1 });
    const { kid } = await first.client.importKey();
    expect(statSync(files.keysFile).mode & 0o777).toBe(0o600);
    expect(statSync(first.socketPath).mode & 0o777).toBe(0o600);
    await first.stop();
    expect(first.process.exitCode).toBe(0);
    expect(existsSync(first.socketPath)).toBe(false);
    const second = await startVault(files, database.urls.vault, { args: [] });
    expect((await second.client.importKey()).kid).toBe(kid);
    await second.stop();
  });

  it('does not start without its keys, nor make new ones that would open nothing', async () => {
    expect(await refusal({ args: [] })).toBe('1 vault-keys-file-missing');
    await storeOneKey();
    renameSync(files.keysFile, `${files.keysFile}.lost`);
    expect(await refusal()).toBe('1 vault-keys-file-missing');
    expect(existsSync(files.keysFile)).toBe(false);
  });

  it('does not start on keys that others may read, or with another secret', async () => {
    await storeOneKey();
    chmodSync(files.keysFile, 0o640);
    expect(await refusal()).toBe('1 vault-keys-file-mode');
    chmodSync(files.keysFile, 0o600);
    writeFileSync(files.secretFile, 'another secret for a test');
    expect(await refusal()).toBe('1 vault-secret-wrong');
  });

  it('does not start without its schema, its configuration, or with arguments it does not know', async () => {
    const empty = await emptyDatabase();
    try {
      expect(await refusal({}, empty.ownerUrl)).toBe('1 vault-schema-missing');
    } finally {
      await empty.drop();
    }
    expect(await refusal({ env: { VAULT_SOCKET: '' } })).toBe('1 configuration-invalid');
    expect((await runVault(files, database.urls.vault, { args: ['--force'] })).status).toBe(2);
  });

  it('does not start beside another one on the same socket', async () => {
    const vault = await startVault(files, database.urls.vault);
    expect(await refusal()).toBe('1 link-socket-in-use');
    expect(await vault.client.health()).toMatchObject({ ready: true });
    await vault.stop();
  });

  it.each([
    ['an argument', { nodeArgs: ['--inspect=127.0.0.1:0'] }],
    ['NODE_OPTIONS', { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } }],
    ['quoted NODE_OPTIONS', { env: { NODE_OPTIONS: '"--heapsnapshot-signal=SIGUSR2"' } }],
    ['an option that writes snapshots', { nodeArgs: ['--heapsnapshot_signal=SIGUSR2'] }],
    ['an option that writes reports', { nodeArgs: ['--report-on-signal'] }],
  ])('does not start with a debugger by %s', async (_, options) => {
    expect(await refusal(options)).toBe('1 vault-inspector-refused');
  });

  it('switches core dumps off, and does not start where it can not', async () => {
    const vault = await startVault(files, database.urls.vault);
    const limits = readFileSync(`/proc/${vault.process.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size +[01] +[01] /m);
    await vault.stop();
    // The tests' own limit lets cores be; without prlimit nothing can lower it.
    expect(readFileSync('/proc/self/limits', 'utf8')).toMatch(/^Max core file size +\S+ +unlimited /m);
    expect(await refusal({ env: { PATH: '/nowhere' } })).toBe('1 vault-core-dumps-on');
  });

  it('opens no debugger when told to by a signal', async () => {
    const vault = await startVault(files, database.urls.vault);
    vault.process.kill('SIGUSR1');
    // Node's own handler would have printed before it gets to the answers of these calls.
    for (let n = 0; n < 20; n++) await vault.client.health();
    await vault.stop();
    expect(vault.output()).not.toMatch(/debugger/i);
  });

  it('does not serve when the self-test fails', async () => {
    const broken = join(files.directory, 'broken.mjs');
    writeFileSync(
      broken,
      `import crypto from 'node:crypto'; import { syncBuiltinESMExports } from 'node:module';
       const real = crypto.createCipheriv;
       crypto.createCipheriv = (name, key, iv, o) => real(name, name.startsWith('des-ede3') ? Buffer.from(key).fill(9) : key, iv, o);
       syncBuiltinESMExports();`,
    );
    expect(await refusal({ nodeArgs: ['--import', broken] })).toBe('1 vault-self-test-failed');
  });

  it('answers again as soon as it is back after kill -9, on the socket file that was left', async () => {
    const first = await startVault(files, database.urls.vault);
    await first.kill();
    expect(existsSync(first.socketPath)).toBe(true);
    const second = await startVault(files, database.urls.vault);
    expect(await second.client.health()).toMatchObject({ ready: true });
    await second.stop();
  });

  it('says so when its database is away', async () => {
    const vault = await startVault(files, database.urls.vault);
    await database.drop();
    const ask = () => codeOf(vault.client.describeKeys({ ...caller, cardId: randomUUID() }));
    await expect.poll(ask).toMatch(/^unavailable vault-database-unavailable$/);
    expect(vault.output()).not.toContain(new URL(database.urls.vault).password);
    await vault.stop();
  });

  it('on its database but with another keys file does not serve', async () => {
    await storeOneKey();
    const other = vaultFiles();
    const own = await testDatabase();
    try {
      const vault = await startVault(other, own.urls.vault);
      await vault.stop();
      rmSync(files.keysFile);
      writeFileSync(files.keysFile, readFileSync(other.keysFile), { mode: 0o600 });
      expect(await refusal()).toBe('1 vault-keys-of-another-vault');
    } finally {
      other.remove();
      await own.drop();
    }
  });
});
