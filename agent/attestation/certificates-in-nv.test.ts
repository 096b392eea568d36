import { execFileSync } from 'node:child_process';
import { createPublicKey, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ENDORSEMENT_TEMPLATES,
  type EndorsementTemplate,
  makeCredential,
  parseCertificate,
  parseEndorsementKey,
  TPM_RH_ENDORSEMENT,
  verifyEndorsement,
} from '@cardwright/protocol/attestation';
import { sized } from '@cardwright/protocol/tpm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { createPrimary } from '../tpm/index.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../tpm/wire.ts';
import type { Endorsement } from './port.ts';

type Bytes = Uint8Array;

/**
 * TPMs as other makers deliver them: P-256 keys of both ranges, keys that nobody made persistent, an intermediate certificate
 * beside them, and indexes longer than what stands in them. The TPM is new; the certificates are openssl's.
 */
const NAMES = ['[tpm]', '1.2.23.133.2.1=id:49465800', '2.2.23.133.2.2=SLB9672', '3.2.23.133.2.3=id:0F15'];
const SAN = 'subjectAltName=critical,dirName:tpm';
const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign', 'subjectKeyIdentifier=hash'];

let device: SoftwareTpm;
const path = (name: string) => join(device.directory, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: device.directory, stdio: 'pipe' });
const derOf = (name: string): Bytes => {
  openssl('x509', '-in', `${name}.pem`, '-outform', 'der', '-out', `${name}.der`);
  return new Uint8Array(readFileSync(path(`${name}.der`)));
};

function certify(name: string, issuer: string, extensions: string[], publicKey?: string): void {
  writeFileSync(path('ext'), ['[all]', ...extensions, ...NAMES].join('\n'));
  openssl('req', '-new', '-key', `${issuer === name ? name : 'any'}.key`, '-subj', `/CN=${name}`, '-out', 'csr');
  const by = issuer === name ? ['-signkey', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
  const of = publicKey === undefined ? [] : ['-force_pubkey', publicKey];
  const what = ['-in', 'csr', '-extfile', 'ext', '-extensions', 'all', '-out', `${name}.pem`, '-days', '9'];
  openssl('x509', '-req', ...what, ...by, ...of, '-CAcreateserial');
}

/** At an index of `size` bytes that anybody may read; the rest is what an erased chip holds. */
async function store(index: number, der: Bytes, size = der.length): Promise<void> {
  const content = new Uint8Array(size).fill(0xff);
  content.set(der);
  writeFileSync(path('content'), content);
  const handle = `0x${index.toString(16)}`;
  await device.tool('tpm2_nvdefine', handle, '-C', 'o', '-s', String(size), '-a', 'ownerwrite|authread|no_da');
  await device.tool('tpm2_nvwrite', handle, '-C', 'o', '-i', 'content');
}

/** PEM of the public key that the TPM makes from a template. */
async function publicKeyOf({ template, label }: EndorsementTemplate): Promise<string> {
  const tpm = await openTpm(device.tcti);
  const { handle, publicArea } = await createPrimary(tpm, TPM_RH_ENDORSEMENT, template);
  await tpm.flush(handle);
  await tpm.close();
  const key = parseEndorsementKey(sized(publicArea));
  const base64url = (bytes: Bytes) => Buffer.from(bytes).toString('base64url');
  const jwk =
    key.kind === 'rsa'
      ? { kty: 'RSA', n: base64url(key.modulus), e: 'AQAB' }
      : { kty: 'EC', crv: key.curve === 'prime256v1' ? 'P-256' : 'P-384', x: base64url(key.x), y: base64url(key.y) };
  const pem = createPublicKey({ format: 'jwk', key: jwk }).export({ type: 'spki', format: 'pem' });
  writeFileSync(path(`${label}.pub`), pem);
  return `${label}.pub`;
}

beforeAll(async () => {
  device = await startSoftwareTpm();
  for (const name of ['root', 'middle', 'any']) {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
  }
  certify('root', 'root', CA);
  writeFileSync(path('middle.pub'), openssl('pkey', '-in', 'middle.key', '-pubout'));
  certify('middle', 'root', CA, 'middle.pub');
  await store(0x01c00100, derOf('middle'), 900);
  for (const template of ENDORSEMENT_TEMPLATES) {
    const usage = `keyUsage=critical,${/1$/.test(template.label) ? 'keyEncipherment' : 'keyAgreement'}`;
    const extensions = ['basicConstraints=critical,CA:FALSE', usage, 'extendedKeyUsage=2.23.133.8.1', SAN];
    certify(template.label, 'middle', extensions, await publicKeyOf(template));
    await store(template.certificateIndex, derOf(template.label), 1500);
  }
}, 60_000);
afterAll(() => device?.stop());

it('finds every endorsement key of the profile by its certificate, and each opens what is hidden for it', async () => {
  const maker = tpmCardMaker(await openTpm(device.tcti));
  try {
    const attestation = maker.attestation();
    const { name } = await attestation.identity();
    const found = await attestation.endorsements();
    expect(found).toHaveLength(ENDORSEMENT_TEMPLATES.length);
    const trust = { roots: [parseCertificate(derOf('root'))], revocationLists: [], expired: 'refuse' } as const;
    for (const endorsement of found) {
      const endorsementKey = parseEndorsementKey(endorsement.public);
      const now = new Date(Date.now() + 60_000);
      const tpm = verifyEndorsement({ ...endorsement, endorsementKey }, trust, now);
      expect(tpm).toMatchObject({ manufacturer: 'id:49465800', model: 'SLB9672' });
      const value = new Uint8Array(randomBytes(32));
      const hidden = makeCredential(endorsementKey, name, value, (bytes) => new Uint8Array(randomBytes(bytes)));
      expect(Buffer.from(await attestation.activate(endorsement, hidden))).toEqual(Buffer.from(value));
    }
    const curves = found
      .map(({ public: area }) => parseEndorsementKey(area))
      .map((key) => [key.kind, key.userWithAuth]);
    expect(curves).toEqual([
      ['ecc', true],
      ['ecc', true],
      ['ecc', false],
      ['rsa', true],
      ['rsa', false],
    ]);
  } finally {
    await maker.close();
  }
});

it.each(['L-1', 'L-2'])('finds a key %s that its maker made with a nonce of its own', async (label) => {
  const standard = ENDORSEMENT_TEMPLATES.find((one) => one.label === label);
  if (standard?.nonceIndex === undefined || standard.nonceIndex === null)
    throw new Error('a template of the low range');
  const nonce = new Uint8Array(label === 'L-1' ? 256 : 32).fill(9);
  const template = Uint8Array.from(standard.template);
  // For RSA the whole of unique, for ECC its x: y with its size comes after it.
  template.set(nonce, template.length - (label === 'L-1' ? 256 : 66));
  const usage = `keyUsage=critical,${label === 'L-1' ? 'keyEncipherment' : 'keyAgreement'}`;
  const extensions = ['basicConstraints=critical,CA:FALSE', usage, 'extendedKeyUsage=2.23.133.8.1', SAN];
  certify(`${label}-nonce`, 'middle', extensions, await publicKeyOf({ ...standard, template }));
  await device.tool('tpm2_nvundefine', `0x${standard.certificateIndex.toString(16)}`, '-C', 'o');
  await store(standard.certificateIndex, derOf(`${label}-nonce`));
  await store(standard.nonceIndex, nonce);
  const maker = tpmCardMaker(await openTpm(device.tcti));
  try {
    const certificate = Buffer.from(derOf(`${label}-nonce`));
    const found = await maker.attestation().endorsements();
    const made = found.find((one) => certificate.equals(one.certificate));
    expect(made).toBeDefined();
    const { name } = await maker.attestation().identity();
    const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
    const hidden = makeCredential(
      parseEndorsementKey(made?.public ?? new Uint8Array()),
      name,
      nonce.slice(0, 32),
      random,
    );
    expect(Buffer.from(await maker.attestation().activate(made as Endorsement, hidden))).toEqual(
      Buffer.from(nonce.slice(0, 32)),
    );
  } finally {
    await maker.close();
  }
});
