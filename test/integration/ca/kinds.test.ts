import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateKind, IssueAnswer, IssueParams } from '@cardwright/ca';
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

const SID = 'S-1-5-21-3623811015-3361044348-30300820-1013';
const PERSON = { userPrincipalName: 'alice@corp.example', email: 'alice@corp.example' };
const MAIL = { email: 'alice@corp.example' };

interface Kind {
  readonly names: Pick<IssueParams, 'subjectAltName'> & Partial<Pick<IssueParams, 'subject' | 'securityIdentifier'>>;
  /** As openssl and NSS call what it is good for; null: neither knows it. */
  readonly purpose: string;
  readonly nss: string | null;
  /** Of what openssl shows. */
  readonly usages: readonly [ec: string, rsa: string];
  readonly extended: string;
}

const SIGNS = ['Digital Signature', 'Digital Signature'] as const;
const COMMITS = ['Digital Signature, Non Repudiation', 'Digital Signature, Non Repudiation'] as const;
const ENCRYPTS = ['Key Agreement', 'Key Encipherment'] as const;
const KINDS: Readonly<Record<CertificateKind, Kind>> = {
  'smart-card-sign-in': {
    names: { subjectAltName: PERSON, securityIdentifier: SID },
    purpose: 'sslclient',
    nss: 'C',
    usages: SIGNS,
    extended: 'TLS Web Client Authentication, Microsoft Smartcard Login, PKINIT Client Auth',
  },
  'tls-client': {
    names: { subjectAltName: PERSON },
    purpose: 'sslclient',
    nss: 'C',
    usages: SIGNS,
    extended: 'TLS Web Client Authentication',
  },
  'smime-signature': {
    names: { subjectAltName: MAIL },
    purpose: 'smimesign',
    nss: 'S',
    usages: COMMITS,
    extended: 'E-mail Protection',
  },
  'smime-encryption': {
    names: { subjectAltName: MAIL },
    purpose: 'smimeencrypt',
    nss: 'R',
    usages: ENCRYPTS,
    extended: 'E-mail Protection',
  },
  'document-signature': {
    names: { subjectAltName: MAIL },
    purpose: 'any',
    nss: null,
    usages: COMMITS,
    extended: '1.3.6.1.5.5.7.3.36',
  },
  'volume-encryption': {
    names: { subjectAltName: PERSON },
    purpose: 'any',
    nss: null,
    usages: ENCRYPTS,
    extended: '1.3.6.1.4.1.311.67.1.1',
  },
  device: {
    names: {
      subject: { commonName: 'lap-7', organization: 'Corp Example' },
      subjectAltName: { dnsNames: ['lap-7.corp.example', 'lap-7'] },
    },
    purpose: 'sslclient',
    nss: 'C',
    usages: SIGNS,
    extended: 'TLS Web Client Authentication',
  },
};
const KEYS = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] } as const;
const kinds = Object.entries(KINDS) as [CertificateKind, Kind][];
const all = kinds.flatMap(([kind, rules]) => (['ec', 'rsa'] as const).map((key) => [kind, key, rules] as const));

let ca: CaInstallation;
let nss: string;
const csrs: Partial<Record<keyof typeof KEYS, Buffer>> = {};
const issued = new Map<string, IssueAnswer>();
const at = (name: string) => join(ca.folder, name);

beforeAll(async () => {
  ca = await caInstallation();
  await ca.start();
  for (const key of ['ec', 'rsa'] as const) csrs[key] = await makeCsr(ca.folder, ...KEYS[key]);
  for (const [kind, key, { names }] of all) {
    const wanted = { ...order(`${kind}-${key}`, csrs[key] as Buffer), profile: kind, ...names };
    issued.set(`${kind}-${key}`, await ca.client.issue(wanted));
  }
  const { chain } = [...issued.values()][0] as IssueAnswer;
  await writePem(at('root.pem'), 'CERTIFICATE', chain[1]);
  await writePem(at('issuing.pem'), 'CERTIFICATE', chain[0]);
  const crls = ['root', 'issuing'].map(async (name) => (await fetchBytes(`${ca.url()}/pki/${name}.crl`)).bytes);
  await writePem(at('crls.pem'), 'X509 CRL', ...(await Promise.all(crls)));
  nss = at('nss');
  await mkdir(nss);
  await certutil('-N', '--empty-password');
  await certutil('-A', '-n', 'root', '-t', 'CT,C,C', '-i', at('root.pem'));
  await certutil('-A', '-n', 'issuing', '-t', ',,', '-i', at('issuing.pem'));
}, 60_000);
afterAll(() => ca.dispose());

async function certutil(...args: string[]): Promise<string> {
  const { code, output } = await program('certutil', ['-d', `sql:${nss}`, ...args]);
  expect(output, args.join(' ')).not.toMatch(/error|invalid/i);
  expect(code).toBe(0);
  return output;
}

const of = (kind: CertificateKind, key: 'ec' | 'rsa') => issued.get(`${kind}-${key}`) as IssueAnswer;
const fileOf = (kind: CertificateKind, key: 'ec' | 'rsa') =>
  writePem(at(`${kind}-${key}.pem`), 'CERTIFICATE', of(kind, key).certificate);

describe.each(all)('a certificate of %s for a key of %s', (kind, key, rules) => {
  it('is accepted by openssl, strictly and with CRLs', async () => {
    const file = await fileOf(kind, key);
    // openssl 3.0 asks for keyEncipherment of any mail recipient; an EC key does not encipher (RFC 5480 3).
    const purpose = kind === 'smime-encryption' && key === 'ec' ? 'any' : rules.purpose;
    const checks = ['-x509_strict', '-crl_check_all', '-CRLfile', at('crls.pem'), '-purpose', purpose];
    expect(await openssl('verify', ...checks, '-CAfile', at('root.pem'), '-untrusted', at('issuing.pem'), file)).toBe(
      `${file}: OK\n`,
    );
    const text = await openssl('x509', '-in', file, '-noout', '-text');
    expect(text).toMatch(new RegExp(`X509v3 Key Usage: critical\\s+${rules.usages[key === 'ec' ? 0 : 1]}\\n`));
    expect(text).toMatch(new RegExp(`X509v3 Extended Key Usage: *\\s+${rules.extended.replaceAll('.', '\\.')}\\n`));
  });

  it('is accepted by GnuTLS', async () => {
    const { certificate, chain } = of(kind, key);
    const file = await writePem(at('chain.pem'), 'CERTIFICATE', certificate, ...chain);
    const { code, output } = await program('certtool', ['--verify-chain', '--infile', file]);
    expect(output).toContain('Chain verification output: Verified. The certificate is trusted.');
    expect(code).toBe(0);
  });

  it('is accepted by NSS for what it is good for, and for nothing else', async () => {
    const name = `${kind}-${key}`;
    await certutil('-A', '-n', name, '-t', ',,', '-i', await fileOf(kind, key));
    const good = async (usage: string) =>
      (await program('certutil', ['-d', `sql:${nss}`, '-V', '-n', name, '-u', usage])).output.includes(
        'certificate is valid',
      );
    // NSS takes an EC key that signs for a mail's recipient as well (CERT_CheckKeyUsage: signature or agreement).
    const also = kind === 'smime-signature' && key === 'ec' ? 'R' : null;
    // TLS client and server, mail's signer and recipient, OCSP.
    for (const usage of ['C', 'V', 'S', 'R', 'O']) {
      expect([usage, await good(usage)]).toEqual([usage, usage === rules.nss || usage === also]);
    }
  });

  it('is DER without a fault', async () => {
    const der = at('one.der');
    await writeFile(der, Buffer.from(of(kind, key).certificate, 'base64url'));
    const { output } = await program('dumpasn1', [der]);
    expect(output).toMatch(/0 warnings, 0 errors\.\s*$/);
  });
});

describe('names', () => {
  it('are those of the order, and what the request asked for is told', async () => {
    for (const answer of issued.values()) expect(answer.ignored).toEqual(['subject']);
    const device = new X509Certificate(Buffer.from(of('device', 'ec').certificate, 'base64url'));
    expect(device.subject).toBe('O=Corp Example\nCN=lap-7');
    expect(device.subjectAltName).toBe('DNS:lap-7.corp.example, DNS:lap-7');
    const found = await ca.client.find({ requestId: 'device-ec' });
    expect(found).toEqual(of('device', 'ec'));
  });

  it('of the SID extension are as openssl writes them by its recipe', async () => {
    const recipe = `asn1=SEQUENCE:names\n[names]\nname=IMP:0,SEQUENCE:other\n[other]\ntype=OID:1.3.6.1.4.1.311.25.2.1\nvalue=EXP:0,OCTETSTRING:${SID}\n`;
    await writeFile(at('sid.cnf'), recipe);
    await openssl('asn1parse', '-genconf', at('sid.cnf'), '-noout', '-out', at('sid.der'));
    const text = await openssl('asn1parse', '-in', await fileOf('smart-card-sign-in', 'ec'), '-dump');
    expect(text).toContain('1.3.6.1.4.1.311.25.2\n');
    const certificate = Buffer.from(of('smart-card-sign-in', 'ec').certificate, 'base64url');
    expect(certificate.includes(await readFile(at('sid.der')))).toBe(true);
  });

  it('of a Kerberos principal are written as they are given, derived, or left out', async () => {
    const issue = async (id: string, kerberosPrincipal?: string | null) => {
      const subjectAltName = { ...PERSON, ...(kerberosPrincipal === undefined ? {} : { kerberosPrincipal }) };
      const { certificate } = await ca.client.issue(order(id, csrs.ec as Buffer, { subjectAltName }));
      return Buffer.from(certificate, 'base64url').toString('latin1');
    };
    expect(await issue('kpn-given', 'a.adams@Corp.Example')).toMatch(/Corp\.Example.*a\.adams/s);
    expect(await issue('kpn-derived')).toContain('CORP.EXAMPLE');
    expect(await issue('kpn-none', null)).not.toMatch(/CORP\.EXAMPLE/);
  });

  const refused = async (id: string, changes: Partial<IssueParams>, kind: string, code: string) => {
    const wanted = order(id, csrs.ec as Buffer, changes);
    await expect(ca.client.issue(wanted)).rejects.toEqual(expect.objectContaining({ kind, code }));
    expect(await ca.client.find({ requestId: id })).toBeNull();
  };

  it.each<[string, Partial<IssueParams>, string]>([
    ['a host name in a sign-in certificate', { subjectAltName: { dnsNames: ['a.example'] } }, 'name-not-of-profile'],
    ['a SID in a TLS certificate', { profile: 'tls-client', securityIdentifier: SID }, 'name-not-of-profile'],
    ['a principal in a mail certificate', { profile: 'smime-signature' }, 'name-not-of-profile'],
    ['a mail certificate without an address', { profile: 'smime-encryption', subjectAltName: {} }, 'name-required'],
    ['a device without a name', { profile: 'device', subjectAltName: {} }, 'name-required'],
    [
      'a device of another name',
      { profile: 'device', subjectAltName: { dnsNames: ['a.example'] } },
      'device-name-differs',
    ],
  ])('%s is refused', (name, changes, code) => refused(name.replaceAll(' ', '-'), changes, 'unprocessable', code));

  it.each<[string, Partial<IssueParams>]>([
    ['eleven hosts', { subjectAltName: { dnsNames: Array.from({ length: 11 }, (_, n) => `h${n}.example`) } }],
    ['no host', { subjectAltName: { dnsNames: [] } }],
    ['a host twice', { subjectAltName: { dnsNames: ['a.example', 'A.example'] } }],
    ['a wildcard', { subjectAltName: { dnsNames: ['*.example'] } }],
    ['an address', { subjectAltName: { dnsNames: ['192.0.2.1'] } }],
    ['an underscore', { subjectAltName: { dnsNames: ['a_b.example'] } }],
    ['a label of 64', { subjectAltName: { dnsNames: [`${'a'.repeat(64)}.example`] } }],
    ['a principal of two parts', { subjectAltName: { kerberosPrincipal: 'host/a@CORP.EXAMPLE' } }],
    ['a principal without a realm', { subjectAltName: { kerberosPrincipal: 'alice' } }],
    ['a principal that is not ASCII', { subjectAltName: { kerberosPrincipal: 'jürgen@CORP.EXAMPLE' } }],
    ['a well-known SID', { securityIdentifier: 'S-1-5-32-544' }],
    ['a SID over 32 bits', { securityIdentifier: 'S-1-5-21-1-2-3-4294967296' }],
    ['a SID with a leading zero', { securityIdentifier: 'S-1-5-21-1-2-3-0500' }],
    ['an organization of 65', { subject: { commonName: 'Alice', organization: 'x'.repeat(65) } }],
    ['an unknown kind', { profile: 'tls-server' as CertificateKind }],
  ])('%s is no form of it', (name, changes) => refused(name.replaceAll(' ', '-'), changes, 'invalid', 'field-invalid'));
});
