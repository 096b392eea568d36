import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inRepository, until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../support/run.ts';
import { type CaInstallation, caInstallation, fetchBytes, makeCsr, openssl, order, PUBLIC_URL } from './ca-process.ts';

const RUNBOOK = inRepository('infra', 'runbooks', 'offline-root.md');
const MAIN = inRepository('services', 'ca', 'dist', 'main.js');

let ca: CaInstallation;
let work: string;
beforeAll(async () => {
  ca = await caInstallation();
  work = join(ca.folder, 'work');
  await mkdir(work);
  await writeFile(join(work, 'passphrase'), 'a passphrase that the CA does not have', { mode: 0o600 });
  await writeFile(join(work, 'ca'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(join(work, 'ca'), 0o755);
  await ca.start();
});
afterAll(() => ca.dispose());

/** The commands of the runbook, in their order: what stands in its `sh` blocks. */
async function commands(): Promise<string[]> {
  const blocks = [...(await readFile(RUNBOOK, 'utf8')).matchAll(/^ *```sh\n(.*?)^ *```$/gms)];
  return blocks.flatMap(([, body = '']) => body.split('\n').map((line) => line.trim())).filter((line) => line !== '');
}

/** Runs a line as it stands there. @param here false: where the copy is, with neither keys nor database */
function perform(line: string, here = true) {
  const online = {
    CA_DATABASE_URL: ca.database.urls.ca,
    CA_KEYS_DIR: ca.keysDirectory,
    CA_SECRET_FILE: ca.secretFile,
    CA_PUBLIC_URL: PUBLIC_URL,
  };
  const env = { CA_ROOT_PASSPHRASE_FILE: join(work, 'passphrase'), PATH: `${work}:${process.env.PATH}` };
  return run('/bin/sh', ['-c', `cd '${work}' && ${line}`], { env: here ? { ...env, ...online } : env });
}

async function performed(line: string, here = true): Promise<string> {
  const { exitCode, stdout, stderr } = await perform(line, here);
  expect(stderr, line).toBe('');
  expect(exitCode).toBe(0);
  return stdout;
}

async function refused(line: string, code: string, here = true): Promise<void> {
  const { exitCode, stderr } = await perform(line, here);
  expect(stderr).toContain(`[${code}]`);
  expect(exitCode).toBe(1);
}

async function rootCrl(): Promise<string> {
  const { response, bytes } = await fetchBytes(`${ca.url()}/pki/root.crl`);
  expect(response.status).toBe(200);
  await writeFile(join(work, 'served.crl'), bytes);
  return openssl('crl', '-inform', 'DER', '-in', join(work, 'served.crl'), '-noout', '-text');
}
const numberIn = (text: string) => Number(/X509v3 CRL Number: \s*(\d+)/.exec(text)?.[1]);

describe('the runbook offline-root', () => {
  it('takes the root offline, signs its CRL and the issuing CA anew, and everything stays good', async () => {
    const lines = await commands();
    expect(lines.map((line) => line.split(' ')[1])).toEqual([
      ...['root-export', 'root-check', 'root-remove', 'root-request'],
      ...['root-sign-crl', 'root-import-crl', 'root-sign-issuing', 'root-import-issuing'],
    ]);
    const [makeCopy = '', check = '', remove = '', request = '', signCrl = '', importCrl = '', sign = '', take = ''] =
      lines;
    const before = await ca.client.issue(order('before', await makeCsr(ca.folder)));
    const firstCrl = numberIn(await rootCrl());
    await performed(makeCopy);
    await performed(check, false);
    await performed(remove);
    await performed(remove); // killed in between, it is given again
    await ca.kill('SIGTERM');
    await ca.start();

    expect((await readdir(join(ca.keysDirectory, 'authorities'))).sort()).toEqual([
      ...['issuing.cer', 'issuing.key', 'root.cer', 'root.offline'],
    ]);
    await ca.client.issue(order('without', await makeCsr(ca.folder)));
    expect(numberIn(await rootCrl())).toBe(firstCrl);

    await performed(request);
    await performed(signCrl, false);
    await performed(importCrl);
    await until({ what: 'the CRL to be published', seconds: 30 }, async () => numberIn(await rootCrl()) > firstCrl);

    await performed(sign, false);
    await performed(take);
    await ca.kill('SIGTERM');
    await ca.start();
    const renewed = await ca.client.authorities();
    expect(renewed.issuing.certificate).not.toBe(before.chain[0]);
    expect(renewed.root.certificate).toBe(before.chain[1]);
    const after = await ca.client.issue(order('after', await makeCsr(ca.folder)));
    // What was issued under the first certificate is good under the second, and the other way round.
    for (const [name, leaf, issuing] of [
      ['old', before.certificate, renewed.issuing.certificate],
      ['new', after.certificate, before.chain[0]],
    ] as const) {
      const pem = (der: string) => new X509Certificate(Buffer.from(der, 'base64url')).toString();
      await writeFile(join(work, 'root.pem'), pem(renewed.root.certificate));
      await writeFile(join(work, 'issuing.pem'), pem(issuing));
      await writeFile(join(work, `${name}.pem`), pem(leaf));
      const chain = ['-CAfile', join(work, 'root.pem'), '-untrusted', join(work, 'issuing.pem')];
      await openssl('verify', '-x509_strict', ...chain, join(work, `${name}.pem`));
    }
  });

  it('refuses what would take something back or is of another root', async () => {
    await refused('ca root-export --to another.json', 'authority-keys-missing');
    await refused('ca root-import-crl --from root.crl', 'root-crl-refused'); // its number is not over the last one
    await refused('ca root-import-crl --from issuing.cer', 'root-crl-refused');
    await refused('ca root-import-issuing --from root.crl', 'issuing-certificate-refused');
    await refused('ca root-request --to root-request.json', 'file-not-made');
    await refused('ca root-check --copy root-request.json', 'root-copy-unreadable', false);
    await writeFile(join(work, 'other'), 'another passphrase, long enough', { mode: 0o600 });
    await refused(
      'CA_ROOT_PASSPHRASE_FILE=other ca root-check --copy root-copy.json',
      'authority-key-unreadable',
      false,
    );
    // A shorter term would cut short what was issued.
    await performed(
      'ca root-sign-issuing --copy root-copy.json --request root-request.json --to short.cer --days 30',
      false,
    );
    await refused('ca root-import-issuing --from short.cer', 'issuing-certificate-refused');
  });

  it('revokes the issuing CA where its key is compromised, and never takes that back', async () => {
    await performed('ca root-request --to second.json');
    const signing = 'ca root-sign-crl --copy root-copy.json --request second.json';
    await performed(`${signing} --to plain.crl`, false);
    await performed(`${signing} --to revoking.crl --revoke-issuing`, false);
    await performed('ca root-import-crl --from revoking.crl');
    await refused('ca root-import-crl --from plain.crl', 'root-crl-refused');
    await performed('ca root-request --to third.json');
    await performed('ca root-sign-crl --copy root-copy.json --request third.json --to third.crl', false);
    await performed('ca root-import-crl --from third.crl');
    expect(await openssl('crl', '-inform', 'DER', '-in', join(work, 'third.crl'), '-noout', '-text')).toContain(
      'CA Compromise',
    );
  });

  it('refuses another root, everywhere', async () => {
    const other = await caInstallation();
    try {
      await other.start();
      const env = { CA_DATABASE_URL: other.database.urls.ca, CA_KEYS_DIR: other.keysDirectory };
      const ofOther = Object.entries(env)
        .map(([name, value]) => `${name}='${value}'`)
        .join(' ');
      await refused(`${ofOther} ca root-remove --copy root-copy.json`, 'root-differs');
      expect(await readdir(join(other.keysDirectory, 'authorities'))).toContain('root.key');
      await refused(`${ofOther} ca root-import-crl --from third.crl`, 'root-crl-refused');
      await refused(`${ofOther} ca root-import-issuing --from issuing.cer`, 'issuing-certificate-refused');
      await performed(`${ofOther} ca root-request --to others.json`);
      await refused('ca root-sign-crl --copy root-copy.json --request others.json --to x.crl', 'root-differs', false);
      await refused(
        'ca root-sign-issuing --copy root-copy.json --request others.json --to x.cer',
        'root-differs',
        false,
      );
    } finally {
      await other.dispose();
    }
  });

  it('does not take a lost key for one that was taken offline', async () => {
    await ca.kill('SIGTERM');
    await rm(join(ca.keysDirectory, 'authorities', 'root.offline'));
    const { exitCode, log } = await ca.startFails();
    expect(exitCode).toBe(1);
    expect(log).toContain('"authority-keys-missing"');
  });
});
