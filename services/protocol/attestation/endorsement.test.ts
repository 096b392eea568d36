import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sized } from '../tpm/wire.ts';
import { parseCertificate } from './certificate.ts';
import type { Trust } from './chain.ts';
import { verifyEndorsement } from './endorsement-certificate.ts';
import { parseEndorsementKey } from './endorsement-key.ts';
import { MADE_AT, RECORDED } from './fixtures/recorded.ts';
import { parseRevocationList } from './revocation-list.ts';

type Bytes = Uint8Array;

const code = (wanted: string) => expect.objectContaining({ code: wanted, kind: 'unprocessable' });
const root = parseCertificate(RECORDED.rootCertificate);
const trust: Trust = { roots: [root], revocationLists: [], expired: 'refuse' };
const chain = [RECORDED.makerCertificate];
const ecc = {
  endorsementKey: parseEndorsementKey(RECORDED.eccEndorsementKey),
  certificate: RECORDED.eccCertificate,
  chain,
};
const rsa = {
  endorsementKey: parseEndorsementKey(RECORDED.rsaEndorsementKey),
  certificate: RECORDED.rsaCertificate,
  chain,
};

describe('an endorsement key certificate as swtpm_setup makes it', () => {
  it.each([
    ['ECC P-384', ecc],
    ['RSA', rsa],
  ])('of an %s key is accepted, and names its TPM', (_, claim) => {
    expect(verifyEndorsement(claim, trust, MADE_AT)).toMatchObject({
      manufacturer: 'id:00001014',
      model: 'swtpm',
      version: 'id:20191023',
    });
  });

  it('is accepted under its own issuer as the root, too', () => {
    const roots = [parseCertificate(RECORDED.makerCertificate)];
    expect(() => verifyEndorsement({ ...ecc, chain: [] }, { ...trust, roots }, MADE_AT)).not.toThrow();
  });

  it('without the certificate between is not trusted, nor without a root', () => {
    expect(() => verifyEndorsement({ ...ecc, chain: [] }, trust, MADE_AT)).toThrow(code('ek-certificate-untrusted'));
    expect(() => verifyEndorsement(ecc, { ...trust, roots: [] }, MADE_AT)).toThrow(code('ek-certificate-untrusted'));
    // That the device sends the root itself makes nobody trust it.
    const claim = { ...ecc, chain: [...chain, RECORDED.rootCertificate] };
    expect(() => verifyEndorsement(claim, { ...trust, roots: [] }, MADE_AT)).toThrow(code('ek-certificate-untrusted'));
  });

  it('of another key is refused', () => {
    const mixed = { ...ecc, endorsementKey: rsa.endorsementKey };
    expect(() => verifyEndorsement(mixed, trust, MADE_AT)).toThrow(code('ek-certificate-not-for-ek'));
    const changed = RECORDED.rsaEndorsementKey.slice();
    changed[changed.length - 2] = (changed.at(-2) ?? 0) ^ 1;
    const other = { ...rsa, endorsementKey: parseEndorsementKey(changed) };
    expect(() => verifyEndorsement(other, trust, MADE_AT)).toThrow(code('ek-certificate-of-another-key'));
  });

  it('is refused before its time', () => {
    expect(() => verifyEndorsement(ecc, trust, new Date('2020-01-01'))).toThrow(code('ek-certificate-not-yet-valid'));
  });

  it('with a bit changed anywhere is refused', () => {
    for (let at = 0; at < RECORDED.eccCertificate.length; at += 7) {
      const certificate = RECORDED.eccCertificate.slice();
      certificate[at] = (certificate[at] ?? 0) ^ 0x04;
      expect(() => verifyEndorsement({ ...ecc, certificate }, trust, MADE_AT), `byte ${at}`).toThrow();
    }
  });

  it('cut short, or with something after it, is refused', () => {
    const { eccCertificate } = RECORDED;
    for (const certificate of [eccCertificate.slice(0, -1), new Uint8Array([...eccCertificate, 0xff])]) {
      expect(() => verifyEndorsement({ ...ecc, certificate }, trust, MADE_AT)).toThrow(
        code('ek-certificate-malformed'),
      );
    }
  });
});

/** A TPM maker's CA made by openssl: certificates and lists that we did not write. */
describe('with a maker’s CA of our own', () => {
  let directory: string;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const der = (file: string): Bytes =>
    new Uint8Array(execFileSync('openssl', ['x509', '-in', file, '-outform', 'der'], { cwd: directory }));
  const SAN =
    'subjectAltName=critical,dirName:tpm\n[tpm]\n1.2.23.133.2.1=id:49465800\n2.2.23.133.2.2=SLB9672\n3.2.23.133.2.3=id:0F15\n[end]';
  const EK = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,keyAgreement', 'extendedKeyUsage=2.23.133.8.1'];
  const CA = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign',
    'subjectKeyIdentifier=hash',
  ];

  /** Signs the key of `keyFile` as `name`; `issuer` null: by itself. */
  function certify(
    name: string,
    keyFile: string,
    issuer: string | null,
    extensions: string[],
    days = ['-days', '900'],
  ) {
    writeFileSync(join(directory, `${name}.ext`), ['[all]', ...extensions].join('\n'));
    openssl('req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    const by = issuer === null ? ['-signkey', keyFile] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
    const ext = ['-extfile', `${name}.ext`, '-extensions', 'all'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`, ...ext, ...days, '-CAcreateserial');
  }
  const newKey = (name: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384', '-out', `${name}.key`);

  let endorsementKey: ReturnType<typeof parseEndorsementKey>;
  const now = new Date(Date.now() + 60_000); // certificates count from the second on in which they are made
  const claim = (name: string, ...between: string[]) => ({
    endorsementKey,
    certificate: der(`${name}.pem`),
    chain: between.map((file) => der(`${file}.pem`)),
  });
  const trusting = (...names: string[]): Trust => ({
    ...trust,
    roots: names.map((name) => parseCertificate(der(`${name}.pem`))),
  });

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'cardwright-maker-'));
    for (const name of ['root', 'middle', 'ek', 'stranger']) newKey(name);
    certify('root', 'root.key', null, CA);
    certify('middle', 'middle.key', 'root', CA);
    certify('ek', 'ek.key', 'middle', [...EK, SAN]);
    const spki = new Uint8Array(
      execFileSync('openssl', ['pkey', '-in', 'ek.key', '-pubout', '-outform', 'der'], { cwd: directory }),
    );
    const area = RECORDED.eccEndorsementKey.slice(2);
    area.set(spki.slice(-96, -48), area.length - 98);
    area.set(spki.slice(-48), area.length - 48);
    endorsementKey = parseEndorsementKey(sized(area));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('accepts a whole chain, in any order, and shows the maker', () => {
    const tpm = verifyEndorsement(claim('ek', 'root', 'middle'), trusting('root'), now);
    expect(tpm).toMatchObject({ manufacturer: 'id:49465800', model: 'SLB9672', version: 'id:0F15' });
  });

  it('refuses a chain that ends elsewhere, though the names are the same', () => {
    openssl('req', '-x509', '-key', 'stranger.key', '-subj', '/CN=root', '-out', 'false-root.pem', '-days', '9');
    const untrusted = code('ek-certificate-untrusted');
    expect(() => verifyEndorsement(claim('ek', 'middle'), trusting('false-root'), now)).toThrow(untrusted);
  });

  it.each([
    ['no CA', ['basicConstraints=critical,CA:FALSE']],
    ['a CA that may not sign certificates', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign']],
    ['a CA with a critical extension that nobody knows', [...CA, '1.3.6.1.4.1.99999.1=critical,DER:0500']],
  ])('refuses an issuer that is %s', (_, extensions) => {
    certify('bad', 'middle.key', 'root', extensions);
    openssl('x509', '-in', 'bad.pem', '-out', 'bad.pem');
    writeFileSync(join(directory, 'bad.key'), readFileSync(join(directory, 'middle.key')));
    certify('ek-bad', 'ek.key', 'bad', [...EK, SAN]);
    const untrusted = code('ek-certificate-untrusted');
    expect(() => verifyEndorsement(claim('ek-bad', 'bad'), trusting('root'), now)).toThrow(untrusted);
  });

  it('refuses more CAs below one than it allows', () => {
    certify('tight', 'stranger.key', null, ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=keyCertSign']);
    writeFileSync(join(directory, 'tight.key'), readFileSync(join(directory, 'stranger.key')));
    certify('middle2', 'middle.key', 'tight', CA);
    writeFileSync(join(directory, 'middle2.key'), readFileSync(join(directory, 'middle.key')));
    certify('ek2', 'ek.key', 'middle2', [...EK, SAN]);
    const untrusted = code('ek-certificate-untrusted');
    expect(() => verifyEndorsement(claim('ek2', 'middle2'), trusting('tight'), now)).toThrow(untrusted);
  });

  it.each([
    ['without the usage tcg-kp-EKCertificate', [EK[0], EK[1], 'extendedKeyUsage=2.23.133.8.3', SAN]],
    ['without any extended usage', [EK[0], EK[1], SAN]],
    ['that does not name a TPM', [...EK]],
    ['that is a CA’s', ['basicConstraints=critical,CA:TRUE', EK[2], SAN]],
    ['for signing', [EK[0], 'keyUsage=critical,digitalSignature', EK[2], SAN]],
    ['with a critical extension that nobody knows', [...EK, '1.3.6.1.4.1.99999.1=critical,DER:0500', SAN]],
  ])('refuses a certificate %s', (_, extensions) => {
    certify('odd', 'ek.key', 'middle', extensions as string[]);
    const notForIt = code('ek-certificate-not-for-ek');
    expect(() => verifyEndorsement(claim('odd', 'middle'), trusting('root'), now)).toThrow(notForIt);
  });

  it('refuses an expired one, or takes it where the policy says so', () => {
    const later = new Date(now.getTime() + 1000 * 86_400_000);
    const expired = code('ek-certificate-expired');
    expect(() => verifyEndorsement(claim('ek', 'middle'), trusting('root'), later)).toThrow(expired);
    const accepting = { ...trusting('root'), expired: 'accept' as const };
    expect(() => verifyEndorsement(claim('ek', 'middle'), accepting, later)).not.toThrow();
  });

  it('refuses a revoked one, and a revoked CA; a list that another signed counts for nothing', () => {
    const list = (issuer: string, serialOf: string) => {
      const serial = parseCertificate(der(`${serialOf}.pem`)).serialNumber.toUpperCase();
      writeFileSync(
        join(directory, 'index.txt'),
        `R\t300101000000Z\t260101000000Z\t${serial.length % 2 ? '0' : ''}${serial}\tunknown\t/CN=x\n`,
      );
      writeFileSync(join(directory, 'ca.conf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n');
      const by = ['-keyfile', `${issuer}.key`, '-cert', `${issuer}.pem`];
      openssl('ca', '-gencrl', '-config', 'ca.conf', ...by, '-crldays', '30', '-out', 'list.pem');
      openssl('crl', '-in', 'list.pem', '-outform', 'der', '-out', 'list.der');
      return parseRevocationList(new Uint8Array(readFileSync(join(directory, 'list.der'))));
    };
    const withList = (issuer: string, serialOf: string) => ({
      ...trusting('root'),
      revocationLists: [list(issuer, serialOf)],
    });
    const revoked = code('ek-certificate-revoked');
    expect(() => verifyEndorsement(claim('ek', 'middle'), withList('middle', 'ek'), now)).toThrow(revoked);
    expect(() => verifyEndorsement(claim('ek', 'middle'), withList('root', 'middle'), now)).toThrow(revoked);
    expect(() => verifyEndorsement(claim('ek', 'middle'), withList('middle', 'root'), now)).not.toThrow();
    openssl('req', '-x509', '-key', 'stranger.key', '-subj', '/CN=middle', '-out', 'impostor.pem', '-days', '9');
    writeFileSync(join(directory, 'impostor.key'), readFileSync(join(directory, 'stranger.key')));
    expect(() => verifyEndorsement(claim('ek', 'middle'), withList('impostor', 'ek'), now)).not.toThrow();
  });
});
