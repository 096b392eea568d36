import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PIN, type SoftToken, softToken } from '../../../services/vault/dist/testing/soft-token.js';
import { type CaInstallation, caInstallation, fetchBytes, makeCsr, openssl, order, writePem } from './ca-process.ts';

let ca: CaInstallation | null = null;
let token: SoftToken | null = null;
afterEach(async () => {
  await ca?.dispose();
  token?.remove();
  [ca, token] = [null, null];
});

/** The leaf's whole path, with the CRLs of both authorities, as openssl judges it. */
async function judged(installation: CaInstallation, requestId: string): Promise<X509Certificate[]> {
  const issued = await installation.client.issue(order(requestId, await makeCsr(installation.folder)));
  const at = (name: string) => join(installation.folder, name);
  const leaf = await writePem(at('leaf.pem'), 'CERTIFICATE', issued.certificate);
  const root = await writePem(at('root.pem'), 'CERTIFICATE', issued.chain[1]);
  const untrusted = await writePem(at('issuing.pem'), 'CERTIFICATE', issued.chain[0]);
  const crls = await Promise.all(
    ['root', 'issuing'].map(async (name) => {
      const { response, bytes } = await fetchBytes(`${installation.url()}/pki/${name}.crl`);
      expect(response.status).toBe(200);
      return bytes;
    }),
  );
  const crlFile = await writePem(at('crls.pem'), 'X509 CRL', ...crls);
  const checks = ['-x509_strict', '-crl_check_all', '-CRLfile', crlFile];
  expect(await openssl('verify', ...checks, '-CAfile', root, '-untrusted', untrusted, leaf)).toBe(`${leaf}: OK\n`);
  return [issued.certificate, ...issued.chain].map((der) => new X509Certificate(Buffer.from(der, 'base64url')));
}

describe('authorities', () => {
  it.each([
    ['P-384', 'ecdsa-with-SHA384'],
    ['RSA-3072', 'sha256WithRSAEncryption'],
  ])('of %s sign certificates, CRLs and the OCSP responder', async (type, algorithm) => {
    ca = await caInstallation({ CA_KEY_TYPE: type });
    await ca.start();
    const chain = await judged(ca, 'first');
    for (const certificate of chain) {
      const text = await openssl('x509', '-in', await pem(certificate), '-noout', '-text');
      expect(text.match(new RegExp(`Signature Algorithm: ${algorithm}\\n`, 'g'))).toHaveLength(2);
    }
    await ca.kill('SIGTERM');
    await ca.start();
    expect((await judged(ca, 'second'))[1]?.raw).toEqual(chain[1]?.raw);
  });

  it('of one type have a root of another', async () => {
    ca = await caInstallation({ CA_ROOT_KEY_TYPE: 'RSA-4096' });
    await ca.start();
    const [leaf, issuing, root] = await judged(ca, 'mixed');
    expect(root?.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096);
    expect(issuing?.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(leaf?.verify((issuing as X509Certificate).publicKey)).toBe(true);
  });
});

const pem = async (certificate: X509Certificate) => {
  const file = join((ca as CaInstallation).folder, 'one.pem');
  await writeFile(file, certificate.toString());
  return file;
};

describe('an issuing key in a PKCS#11 token', () => {
  async function withToken(type: string): Promise<CaInstallation> {
    token = softToken('cardwright ca');
    ca = await caInstallation({
      CA_KEY_TYPE: type,
      CA_ROOT_KEY_TYPE: 'P-256',
      CA_PKCS11_MODULE: token.module,
      CA_PKCS11_TOKEN_LABEL: token.tokenLabel,
      CA_PKCS11_PIN_FILE: token.pinFile,
      SOFTHSM2_CONF: token.configuration,
    });
    await ca.start();
    return ca;
  }
  const fails = async (installation: CaInstallation, code: string) => {
    const { exitCode, log } = await installation.startFails();
    expect(exitCode).toBe(1);
    expect(JSON.parse(log.trim().split('\n').at(-1) ?? '').code).toBe(code);
  };

  it.each(['P-384', 'RSA-3072'])('of %s issues, and is in no file', async (type) => {
    const installation = await withToken(type);
    const [, issuing] = await judged(installation, 'token');
    const keys = join(installation.keysDirectory, 'authorities');
    expect((await readdir(keys)).sort()).toEqual(['issuing.cer', 'issuing.token', 'root.cer', 'root.key']);
    await installation.kill('SIGTERM');
    await installation.start();
    expect((await judged(installation, 'again'))[1]?.raw).toEqual(issuing?.raw);
  });

  it('is not used when the token is away, its PIN wrong, or its key another', async () => {
    const installation = await withToken('P-256');
    await installation.kill('SIGTERM');
    token?.unplug();
    await fails(installation, 'token-away');
    token?.plug();
    await writeFile(token?.pinFile ?? '', '000000\n');
    await fails(installation, 'token-pin-refused');
    await writeFile(token?.pinFile ?? '', `${PIN}\n`);

    const note = join(installation.keysDirectory, 'authorities', 'issuing.token');
    const good = await readFile(note, 'utf8');
    const another = 'aa'.repeat(16);
    await writeFile(note, good.replace(/"id": "\w+"/, `"id": "${another}"`));
    await fails(installation, 'token-key-missing');
    const { module = '', tokenLabel = '', configuration = '' } = token ?? {};
    const sameLabel = ['--label', 'cardwright issuing CA', '--id', another, '--key-type', 'EC:prime256v1'];
    const make = ['--module', module, '--token-label', tokenLabel, '--login', '--pin', PIN, '--keypairgen'];
    const env = { PATH: process.env.PATH ?? '', SOFTHSM2_CONF: configuration };
    execFileSync('pkcs11-tool', [...make, ...sameLabel, '--sensitive'], { env, stdio: 'pipe' });
    await fails(installation, 'token-signature-wrong');
    await writeFile(note, good);
    await installation.start();
    await judged(installation, 'after-all');
  });

  it('that can be had out of the token is not used', async () => {
    const installation = await withToken('P-256');
    await installation.kill('SIGTERM');
    const note = join(installation.keysDirectory, 'authorities', 'issuing.token');
    const id = 'bb'.repeat(16);
    await writeFile(note, (await readFile(note, 'utf8')).replace(/"id": "\w+"/, `"id": "${id}"`));
    const { module = '', tokenLabel = '', configuration = '' } = token ?? {};
    const key = ['--label', 'cardwright issuing CA', '--id', id, '--key-type', 'EC:prime256v1', '--extractable'];
    const make = ['--module', module, '--token-label', tokenLabel, '--login', '--pin', PIN, '--keypairgen'];
    const env = { PATH: process.env.PATH ?? '', SOFTHSM2_CONF: configuration };
    execFileSync('pkcs11-tool', [...make, ...key], { env, stdio: 'pipe' });
    await fails(installation, 'token-key-extractable');
  });
});
