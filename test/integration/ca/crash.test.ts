import { chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CaInstallation, caInstallation, makeCsr, order } from './ca-process.ts';

let ca: CaInstallation;
const holders: pg.Client[] = [];
beforeEach(async () => {
  ca = await caInstallation();
});
afterEach(async () => {
  for (const holder of holders.splice(0)) await holder.end();
  await ca.dispose();
});

/**
 * Makes every write of one kind wait in the database while the barrier stands: a place to be killed at. When it is
 * removed the waiting writes fail, as if the process had been killed before it sent them.
 */
async function barrier(table: string, event: 'INSERT' | 'UPDATE') {
  const holder = new pg.Client({ connectionString: ca.database.ownerUrl });
  await holder.connect();
  holders.push(holder);
  await holder.query('SELECT pg_advisory_lock(42)');
  await holder.query(`CREATE FUNCTION ca.wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(42); RAISE EXCEPTION 'too late'; END $$`);
  await holder.query(`CREATE TRIGGER aaa_wait BEFORE ${event} ON ${table} FOR EACH ROW EXECUTE FUNCTION ca.wait()`);
  return {
    reached: () =>
      until({ what: 'the CA to reach the barrier', seconds: 30 }, async () => {
        const { rowCount } = await holder.query(
          "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted",
        );
        return rowCount === 1;
      }),
    async remove() {
      await holder.query('SELECT pg_advisory_unlock(42)');
      // Waits for whoever is still in the trigger.
      await holder.query(`DROP TRIGGER aaa_wait ON ${table}`);
      await holder.query('DROP FUNCTION ca.wait()');
    },
  };
}

const authorities = async () =>
  (await ca.owner.query('SELECT name, certificate FROM ca.authorities ORDER BY name')).rows;

describe('killed with -9 in its first start', () => {
  it('after the keys are written and before the database knows them, it goes on with the same keys', async () => {
    const wall = await barrier('ca.authorities', 'INSERT');
    ca.launch();
    await wall.reached();
    const root = await readFile(join(ca.keysDirectory, 'authorities', 'root.cer'));
    await ca.kill('SIGKILL');
    await wall.remove();
    expect(await authorities()).toEqual([]);
    await ca.start();
    expect((await ca.client.authorities()).root.certificate).toBe(root.toString('base64url'));
    expect(await authorities()).toHaveLength(2);
  });

  it('at any other moment, the next start has one root', async () => {
    // Ever later, until one gets through its whole start: so every part of it is met, on a slow machine too.
    for (let delay = 100, ready = false; !ready; delay *= 1.25) {
      const launched = ca.launch();
      let log = '';
      launched.stdout?.on('data', (chunk) => {
        log += String(chunk);
      });
      // Not a wait for something to happen: the moment itself is what varies.
      await new Promise((resolve) => setTimeout(resolve, delay));
      expect(launched.exitCode).toBeNull();
      ready = log.includes('ca is ready');
      await ca.kill('SIGKILL');
    }
    await ca.start();
    const { root } = await ca.client.authorities();
    await ca.kill('SIGTERM');
    await ca.start();
    expect((await ca.client.authorities()).root).toEqual(root);
    expect(await readdir(ca.keysDirectory)).toEqual(['authorities', 'recorded']);
    for (const name of ['root.key', 'issuing.key']) {
      expect((await stat(join(ca.keysDirectory, 'authorities', name))).mode & 0o777).toBe(0o600);
    }
  });
});

describe('killed with -9 between proposing and issuing', () => {
  it('it issues what was proposed when it is asked again, once', async () => {
    await ca.start();
    const wanted = order('interrupted', await makeCsr(ca.folder));
    const wall = await barrier('ca.certificates', 'UPDATE');
    const lost = expect(ca.client.issue(wanted)).rejects.toMatchObject({ code: 'ca-unavailable' });
    await wall.reached();
    await ca.kill('SIGKILL');
    await lost;
    await wall.remove();
    const row = async () =>
      (await ca.owner.query("SELECT state, serial_number FROM ca.certificates WHERE request_id = 'interrupted'")).rows;
    const [proposed] = await row();
    expect(proposed.state).toBe('proposed');
    await ca.start();
    expect(await ca.client.find({ requestId: 'interrupted' })).toBeNull();
    const answers = [await ca.client.issue(wanted), await ca.client.issue(wanted)];
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.serialNumber).toBe(proposed.serial_number.toString('hex'));
    expect(await row()).toEqual([{ state: 'issued', serial_number: proposed.serial_number }]);
  });
});

describe('killed with -9 between recording a revocation and making its CRL', () => {
  it('the next start makes the CRL, and its number is a new one', async () => {
    await ca.start();
    const { serialNumber } = await ca.client.issue(order('forgotten', await makeCsr(ca.folder)));
    const before = (await ca.client.health()).crls.issuing;
    const wall = await barrier('ca.crls', 'UPDATE');
    const lost = expect(
      ca.client.revoke({ serialNumber, reason: 'keyCompromise', revokedAt: new Date().toISOString() }),
    ).rejects.toMatchObject({ code: 'ca-unavailable' });
    await wall.reached();
    await ca.kill('SIGKILL');
    await lost;
    await wall.remove();
    await ca.start();
    expect(Number((await ca.client.health()).crls.issuing.number)).toBeGreaterThan(Number(before.number));
    const response = await fetch(`${ca.url()}/pki/issuing.crl`);
    expect(Buffer.from(await response.arrayBuffer()).includes(Buffer.from(serialNumber, 'hex'))).toBe(true);
  });
});

describe('it does not start', () => {
  const fails = async (code: string) => {
    const { exitCode, log } = await ca.startFails();
    expect(exitCode).toBe(1);
    expect(JSON.parse(log.trim().split('\n').at(-1) ?? '').code).toBe(code);
  };

  it('with keys or a secret that others may read', async () => {
    await chmod(ca.secretFile, 0o640);
    await fails('file-mode-too-wide');
    await chmod(ca.secretFile, 0o600);
    await ca.start();
    await ca.kill('SIGTERM');
    await chmod(join(ca.keysDirectory, 'authorities', 'issuing.key'), 0o644);
    await fails('file-mode-too-wide');
  });

  it('with another secret, a secret too short, or a changed key', async () => {
    await ca.start();
    await ca.kill('SIGTERM');
    await writeFile(ca.secretFile, 'another secret, long enough too');
    await fails('authority-key-unreadable');
    await writeFile(ca.secretFile, 'short');
    await fails('secret-too-short');
    await writeFile(ca.secretFile, 'a secret of the test, long enough');
    const keys = join(ca.keysDirectory, 'authorities');
    await writeFile(join(keys, 'root.key'), await readFile(join(keys, 'issuing.key')));
    await fails('authority-key-unreadable');
  });

  it('without its keys, or without its database, and makes no second root', async () => {
    await ca.start();
    await ca.kill('SIGTERM');
    const known = await authorities();
    await rename(join(ca.keysDirectory, 'authorities'), join(ca.folder, 'aside'));
    await rm(join(ca.keysDirectory, 'recorded'));
    await fails('authority-keys-missing');
    expect(await authorities()).toEqual(known);
    await rename(join(ca.folder, 'aside'), join(ca.keysDirectory, 'authorities'));
    await ca.start();
    await ca.kill('SIGTERM');

    const another = await caInstallation();
    try {
      await another.start();
      await another.kill('SIGTERM');
      await rename(another.keysDirectory, join(another.folder, 'own'));
      await rename(ca.keysDirectory, another.keysDirectory);
      const { log } = await another.startFails();
      expect(log).toContain('"authority-of-another-database"');
    } finally {
      await another.dispose();
    }
  });

  it('on a database that forgot it', async () => {
    await ca.start();
    await ca.kill('SIGTERM');
    const { rows } = await ca.owner.query(
      "SELECT format('ca.%I', tablename) AS name FROM pg_tables WHERE schemaname = 'ca' AND tablename <> '_prisma_migrations'",
    );
    const tables = rows.map(({ name }) => name);
    for (const table of tables) await ca.owner.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    await ca.owner.query(`TRUNCATE ${tables.join(', ')}`);
    await fails('authority-not-in-database');
  });
});

describe('SIGTERM', () => {
  it('ends it with 0, and the next start answers on the same socket', async () => {
    await ca.start();
    const first = await ca.client.issue(order('before', await makeCsr(ca.folder)));
    expect(await ca.kill('SIGTERM')).toBe(0);
    await expect(ca.client.health()).rejects.toMatchObject({ kind: 'unavailable', code: 'ca-unavailable' });
    await ca.start();
    expect(await ca.client.find({ requestId: 'before' })).toEqual(first);
  });
});
