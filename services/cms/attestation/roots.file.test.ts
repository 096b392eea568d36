import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTpmRoots } from './roots.file.ts';

let folder: string;
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const roots = () => createTpmRoots(join(folder, 'roots'), 'refuse');
const inRoots = (name: string) => join(folder, 'roots', name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cardwright-roots-'));
  mkdirSync(join(folder, 'roots'));
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '9'];
  for (const name of ['one', 'two'])
    openssl('req', '-x509', ...what, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  writeFileSync(join(folder, 'index.txt'), 'R\t300101000000Z\t260101000000Z\t1234\tunknown\t/CN=x\n');
  writeFileSync(join(folder, 'ca.conf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n');
  openssl(
    'ca',
    '-gencrl',
    '-config',
    'ca.conf',
    '-keyfile',
    'one.key',
    '-cert',
    'one.pem',
    '-crldays',
    '9',
    '-out',
    'list.pem',
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('reads PEM, several in a file, DER, and lists; and what is added while it runs', async () => {
  expect((await roots().read()).roots).toHaveLength(0);
  writeFileSync(inRoots('both.pem'), execFileSync('cat', ['one.pem', 'two.pem'], { cwd: folder }));
  openssl('x509', '-in', 'one.pem', '-outform', 'der', '-out', inRoots('one.cer'));
  copyFileSync(join(folder, 'list.pem'), inRoots('list.crl'));
  openssl('crl', '-in', 'list.pem', '-outform', 'der', '-out', inRoots('list-der.crl'));
  writeFileSync(inRoots('README.txt'), 'where they are from');
  const trust = await roots().read();
  expect(trust.roots).toHaveLength(3);
  expect(trust.revocationLists.map(({ serialNumbers }) => [...serialNumbers])).toEqual([['1234'], ['1234']]);
  expect(trust.expired).toBe('refuse');
});

it('trusts nobody where no folder is configured', async () => {
  expect(await createTpmRoots(null, 'accept').read()).toEqual({ roots: [], revocationLists: [], expired: 'accept' });
});

it.each([
  ['a certificate that is none', 'broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ['a list that is none', 'broken.crl', 'no list'],
  ['an empty certificate', 'empty.cer', ''],
])('refuses everything for %s: an operator relies on it', async (_, name, content) => {
  copyFileSync(join(folder, 'one.pem'), inRoots('one.pem'));
  writeFileSync(inRoots(name), content);
  await expect(roots().read()).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'tpm-roots-unreadable',
    detail: expect.stringContaining(name),
  });
});

it('refuses everything without its folder', async () => {
  rmSync(join(folder, 'roots'), { recursive: true });
  await expect(roots().read()).rejects.toMatchObject({ code: 'tpm-roots-unreadable' });
});
