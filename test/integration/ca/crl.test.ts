import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IssueAnswer } from '@cardwright/ca';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaInstallation,
  caInstallation,
  fetchBytes,
  makeCsr,
  openssl,
  order,
  program,
  writePem,
} from './ca-process.ts';

/** One issuer with one CRL, and one whose certificates are spread over four. */
let whole: CaInstallation;
let spread: CaInstallation;
let csr: Buffer;
beforeAll(async () => {
  [whole, spread] = await Promise.all([caInstallation(), caInstallation({ CA_CRL_SHARDS: '4' })]);
  await Promise.all([whole.start(), spread.start()]);
  for (const ca of [whole, spread]) {
    const { root, issuing } = await ca.client.authorities();
    await writePem(join(ca.folder, 'root.pem'), 'CERTIFICATE', root.certificate);
    await writePem(join(ca.folder, 'issuing.pem'), 'CERTIFICATE', issuing.certificate);
    await fetched(ca, 'root.crl');
  }
  csr = await makeCsr(whole.folder);
});
afterAll(() => Promise.all([whole?.dispose(), spread?.dispose()]));

const now = () => new Date().toISOString();
const issue = async (ca: CaInstallation, name: string): Promise<IssueAnswer> => {
  const issued = await ca.client.issue(order(name, csr));
  await writePem(join(ca.folder, `${name}.pem`), 'CERTIFICATE', issued.certificate);
  return issued;
};

interface Fetched {
  readonly text: string;
  readonly number: number;
  readonly base: number;
}

/** Fetches a CRL, has openssl check its signature, and keeps it as DER and as PEM under `as`. */
async function fetched(ca: CaInstallation, file: string, as = file): Promise<Fetched> {
  const { response, bytes } = await fetchBytes(`${ca.url()}/pki/${file}`);
  expect(response.status).toBe(200);
  const path = join(ca.folder, as);
  await writeFile(path, bytes);
  const issuer = file.startsWith('root') ? 'root.pem' : 'issuing.pem';
  const checked = await program('openssl', [
    ...['crl', '-inform', 'DER', '-in', path, '-CAfile', join(ca.folder, issuer), '-out', `${path}.pem`],
  ]);
  expect(checked.output).toContain('verify OK');
  const text = await openssl('crl', '-in', `${path}.pem`, '-noout', '-text');
  const numberAfter = (name: string) =>
    Number(new RegExp(`${name}: (?:critical)?\\s+(0x[0-9A-F]+|\\d+)`).exec(text)?.[1]);
  return { text, number: numberAfter('X509v3 CRL Number'), base: numberAfter('X509v3 Delta CRL Indicator') };
}

/** @param crls files of `ca`; @returns what openssl finds wrong with the certificate, or OK */
async function verified(ca: CaInstallation, certificate: string, crls: readonly string[], ...flags: string[]) {
  const file = (name: string) => join(ca.folder, name);
  const { code, output } = await program('openssl', [
    ...['verify', '-x509_strict', '-crl_check_all', ...flags],
    ...['-CAfile', file('root.pem'), '-untrusted', file('issuing.pem')],
    ...['root.crl', ...crls].flatMap((name) => ['-CRLfile', file(`${name}.pem`)]),
    file(`${certificate}.pem`),
  ]);
  return code === 0 ? 'OK' : (/error \d+ at 0 depth lookup: (.*)/.exec(output)?.[1] ?? output);
}

const entryOf = (text: string, { serialNumber }: IssueAnswer): string | undefined =>
  text.split('Serial Number: ').find((entry) => entry.startsWith(serialNumber.toUpperCase()));

describe('a delta CRL', () => {
  it('brings a full one that is older up to date: revoked, held, released', async () => {
    const [revoked, held, released] = [
      await issue(whole, 'revoked'),
      await issue(whole, 'held'),
      await issue(whole, 'released'),
    ];
    const hold = { reason: 'certificateHold', revokedAt: now() } as const;
    await whole.client.revoke({ serialNumber: released.serialNumber, ...hold });
    const old = await fetched(whole, 'issuing.crl', 'old.crl');
    expect(entryOf(old.text, released)).toContain('Certificate Hold');
    expect(await verified(whole, 'released', ['old.crl'])).toBe('certificate revoked');

    const invalidityDate = '2026-01-02T03:04:05.000Z';
    const gone = {
      serialNumber: revoked.serialNumber,
      reason: 'keyCompromise',
      revokedAt: now(),
      invalidityDate,
    } as const;
    expect(await whole.client.revoke(gone)).toMatchObject({ invalidityDate });
    await whole.client.revoke({ serialNumber: held.serialNumber, ...hold });
    await whole.client.release({ serialNumber: released.serialNumber, releasedAt: now() });

    const [full, delta] = [await fetched(whole, 'issuing.crl'), await fetched(whole, 'issuing-delta.crl')];
    expect(full.number).toBe(delta.number);
    expect(old.number).toBeLessThan(delta.number);
    expect(delta.base).toBeLessThanOrEqual(old.number);
    expect(delta.text).toMatch(/X509v3 Delta CRL Indicator: critical/);
    expect(full.text).toMatch(
      /X509v3 Freshest CRL: \s+Full Name:\s+URI:http:\/\/pki.cardwright.test\/pki\/issuing-delta.crl/,
    );
    expect(delta.text).not.toContain('Freshest');
    expect(entryOf(delta.text, revoked)).toMatch(/Key Compromise[\s\S]*Invalidity Date: \s+Jan {2}2 03:04:05 2026 GMT/);
    expect(entryOf(delta.text, held)).toContain('Certificate Hold');
    expect(entryOf(delta.text, released)).toContain('Remove From CRL');
    expect(entryOf(full.text, released)).toBeUndefined();

    for (const [certificate, expected] of [
      ['revoked', 'certificate revoked'],
      ['held', 'certificate revoked'],
      ['released', 'OK'],
    ] as const) {
      expect(await verified(whole, certificate, ['issuing.crl']), certificate).toBe(expected);
      expect(await verified(whole, certificate, ['old.crl', 'issuing-delta.crl'], '-use_deltas'), certificate).toBe(
        expected,
      );
    }
    expect(await verified(whole, 'revoked', ['old.crl'])).toBe('OK');
  });

  it('has a hold become final, and the other way round is no way', async () => {
    const { serialNumber } = await issue(whole, 'final');
    const at = now();
    await whole.client.revoke({ serialNumber, reason: 'certificateHold', revokedAt: at });
    const final = await whole.client.revoke({ serialNumber, reason: 'cessationOfOperation', revokedAt: at });
    expect(final).toMatchObject({ reason: 'cessationOfOperation' });
    expect(await whole.client.revoke({ serialNumber, reason: 'certificateHold', revokedAt: at })).toEqual(final);
    const refused = { kind: 'conflict', code: 'certificate-not-on-hold' };
    await expect(whole.client.release({ serialNumber, releasedAt: now() })).rejects.toMatchObject(refused);
    const delta = await fetched(whole, 'issuing-delta.crl');
    expect(delta.text.split(serialNumber.toUpperCase())).toHaveLength(2);
    expect(delta.text).toContain('Cessation Of Operation');
  });

  it('is not made for what can not be released', async () => {
    const { serialNumber } = await issue(whole, 'good');
    const release = (number: string, releasedAt = now()) => whole.client.release({ serialNumber: number, releasedAt });
    await expect(release(serialNumber)).rejects.toMatchObject({ kind: 'conflict', code: 'certificate-not-on-hold' });
    await expect(release('0'.repeat(32))).rejects.toMatchObject({ kind: 'not-found', code: 'certificate-unknown' });
    await expect(release(serialNumber, 'soon')).rejects.toMatchObject({ kind: 'invalid', code: 'field-invalid' });
    await whole.client.revoke({ serialNumber, reason: 'certificateHold', revokedAt: now() });
    await expect(release(serialNumber, '2020-01-01T00:00:00Z')).rejects.toMatchObject({
      code: 'released-at-not-possible',
    });
    const releasedAt = now();
    expect(await release(serialNumber, releasedAt)).toEqual({ serialNumber, releasedAt });
    expect(await release(serialNumber, releasedAt)).toEqual({ serialNumber, releasedAt });
  });
});

describe('full and delta CRLs', () => {
  it('are read and verified by GnuTLS', async () => {
    for (const file of ['issuing.crl', 'issuing-delta.crl']) {
      await fetched(whole, file);
      const args = [
        '--load-ca-certificate',
        join(whole.folder, 'issuing.pem'),
        '--infile',
        join(whole.folder, `${file}.pem`),
      ];
      expect((await program('certtool', ['--verify-crl', ...args])).output).toContain('Verification output: Verified.');
      const info = await program('certtool', ['--crl-info', '--infile', join(whole.folder, `${file}.pem`)]);
      expect(info.output).toContain('Authority Key Identifier');
      expect(info.output).toMatch(/CRL Number/i);
    }
  });

  it('are imported into a database of NSS, which knows each revoked serial number', async () => {
    const database = `sql:${whole.folder}`;
    const nss = async (name: string, ...args: string[]) => {
      const done = await program(name, [...args, '-d', database]);
      expect(done.code, done.output).toBe(0);
      return done.output;
    };
    await nss('certutil', '-N', '--empty-password');
    for (const name of ['root', 'issuing']) {
      await nss('certutil', '-A', '-n', name, '-t', 'CT,C,C', '-i', join(whole.folder, `${name}.pem`));
    }
    await fetched(whole, 'issuing.crl');
    await nss('crlutil', '-I', '-i', join(whole.folder, 'issuing.crl'));
    const listed = await nss('crlutil', '-L', '-n', 'issuing');
    const { rows } = await whole.owner.query("SELECT encode(serial_number, 'hex') AS serial FROM ca.revocations");
    expect(rows.length).toBeGreaterThan(2);
    const digits = listed.toLowerCase().replaceAll(/[^0-9a-f]/g, '');
    for (const { serial } of rows) expect(digits).toContain(serial);
  });
});

describe('the certificates of an issuer with four CRLs', () => {
  it('each name their own, list in no other, and openssl takes no other for it', async () => {
    const issued = await Promise.all(Array.from({ length: 12 }, (_, n) => issue(spread, `one-${n}`)));
    const shardOf = ({ serialNumber }: IssueAnswer) => Number.parseInt(serialNumber.slice(-4), 16) % 4;
    expect(new Set(issued.map(shardOf)).size).toBeGreaterThan(1);
    for (const [n, certificate] of issued.entries()) {
      const text = await openssl('x509', '-in', join(spread.folder, `one-${n}.pem`), '-noout', '-text');
      expect(text).toContain(`URI:http://pki.cardwright.test/pki/issuing-${shardOf(certificate)}.crl`);
    }
    const [gone] = issued as [IssueAnswer];
    await spread.client.revoke({ serialNumber: gone.serialNumber, reason: 'superseded', revokedAt: now() });
    const shards = [0, 1, 2, 3];
    for (const shard of shards) {
      const file = `issuing-${shard}.crl`;
      const [full, delta] = [await fetched(spread, file), await fetched(spread, `issuing-${shard}-delta.crl`)];
      for (const { text } of [full, delta]) {
        expect(text).toMatch(
          new RegExp(
            `X509v3 Issuing Distribution Point: critical\\s+Full Name:\\s+URI:http://pki.cardwright.test/pki/${file}`,
          ),
        );
        expect(entryOf(text, gone) !== undefined).toBe(shard === shardOf(gone));
      }
    }
    const own = `issuing-${shardOf(gone)}.crl`;
    expect(await verified(spread, 'one-0', [own])).toBe('certificate revoked');
    const others = shards.filter((shard) => shard !== shardOf(gone)).map((shard) => `issuing-${shard}.crl`);
    expect(await verified(spread, 'one-0', others)).toBe('different CRL scope');
    const all = shards.map((shard) => `issuing-${shard}.crl`);
    for (const n of issued.keys()) {
      expect(await verified(spread, `one-${n}`, all, '-extended_crl')).toBe(n === 0 ? 'certificate revoked' : 'OK');
    }
    expect((await fetchBytes(`${spread.url()}/pki/issuing.crl`)).response.status).toBe(404);
  });

  it('can not be spread otherwise later', async () => {
    await spread.kill('SIGTERM');
    const { exitCode, log } = await spread.startFails({ CA_CRL_SHARDS: '8' });
    expect(exitCode).toBe(1);
    expect(log).toContain('"crl-shards-fixed"');
    await spread.start();
    expect((await fetchBytes(`${spread.url()}/pki/issuing-3.crl`)).response.status).toBe(200);
  });
});
