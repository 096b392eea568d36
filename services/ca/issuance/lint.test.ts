import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  explicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  time,
  tlv,
  unsignedInteger,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { readDer } from '../asn1/reader.ts';
import { certify, signWith } from '../authorities/authority.ts';
import { SIGNATURE_ALGORITHM } from '../x509/certificate.ts';
import {
  basicConstraints,
  commonNameOnly,
  extension,
  keyUsage,
  securityIdentifier,
  subjectKeyIdentifier,
} from '../x509/extensions.ts';
import { CERTIFICATE_BOUNDS } from '../x509/public-key.ts';
import { subjectAltName } from '../x509/subject-alt-name.ts';
import { buildCertificate, type CertificateOrder } from './build.ts';
import { LintError, LintedCertificate, lintCertificate } from './lint.ts';
import { KINDS, SMART_CARD_SIGN_IN } from './profiles.ts';

const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const holder = keys().publicKey.export({ type: 'spki', format: 'der' });
const stranger = keys().publicKey.export({ type: 'spki', format: 'der' });
const DAY = 86_400_000;
const start = new Date('2026-01-01T00:00:00Z');

const ORDER: CertificateOrder = {
  profile: SMART_CARD_SIGN_IN,
  serialNumber: Buffer.alloc(16, 0x81),
  commonName: 'Alice Adams',
  subjectAltName: {
    userPrincipalName: 'alice@corp.example',
    kerberosPrincipal: 'alice@CORP.EXAMPLE',
    email: 'alice@corp.example',
  },
  publicKey: holder,
  notBefore: start,
  notAfter: new Date(start.getTime() + 90 * DAY),
  issuer: {
    name: commonNameOnly('An issuer'),
    keyIdentifier: Buffer.alloc(20, 7),
    signatureAlgorithm: SIGNATURE_ALGORITHM,
    notAfter: new Date(start.getTime() + 900 * DAY),
  },
  publishedAt: { caIssuers: 'http://ca.test/i.cer', crl: 'http://ca.test/i.crl', ocsp: 'http://ca.test/ocsp' },
};

const findings = (body: Buffer): string => {
  try {
    lintCertificate(body, ORDER);
  } catch (error) {
    if (error instanceof LintError) return error.findings.join('\n');
    throw error;
  }
  return 'passed';
};

/** The good body with its parts changed, as a defect of the builder would. */
function withParts(change: (parts: Buffer[]) => Buffer[]): Buffer {
  const { children } = readDer(buildCertificate(ORDER), CERTIFICATE_BOUNDS);
  return sequence(...change(children.map(({ raw }) => raw)));
}
const withPart = (at: number, part: Buffer) => withParts((parts) => parts.with(at, part));

/** The good extensions with a change. */
function withExtensions(change: (extensions: Buffer[]) => Buffer[]): Buffer {
  const { children } = readDer(buildCertificate(ORDER), CERTIFICATE_BOUNDS);
  const extensions = children[7]?.children[0]?.children.map(({ raw }) => raw) ?? [];
  return withPart(7, explicit(3, sequence(...change(extensions))));
}
const at = (oid: string) => (one: Buffer) => one.includes(objectIdentifier(oid));
const without = (oid: string) => withExtensions((all) => all.filter((one) => !at(oid)(one)));
const replaced = (oid: string, by: Buffer) => withExtensions((all) => all.map((one) => (at(oid)(one) ? by : one)));
const names = (san: Parameters<typeof subjectAltName>[0]) => subjectAltName(san) ?? Buffer.alloc(0);

describe('the lint', () => {
  it('passes what the builder makes of an order', () => {
    expect(findings(buildCertificate(ORDER))).toBe('passed');
  });

  const validity = (from: Date, to: Date) => sequence(time(from), time(to));
  it.each([
    ['another version', withPart(0, explicit(0, unsignedInteger(1))), 'version is not v3'],
    ['a negative serial number', withPart(1, tlv(0x02, Buffer.alloc(16, 0x81))), 'negative'],
    ['a short serial number', withPart(1, unsignedInteger(1)), 'under 128 bits'],
    ['another serial number', withPart(1, unsignedInteger(Buffer.alloc(16, 0x82))), 'not the one that is recorded'],
    ['a long serial number', withPart(1, unsignedInteger(Buffer.alloc(20, 0xff))), 'over 20 octets'],
    [
      'parameters of the algorithm',
      withPart(2, sequence(objectIdentifier(OID.ecdsaWithSha256), nullValue())),
      'algorithm',
    ],
    ['another algorithm', withPart(2, sequence(objectIdentifier(OID.sha256WithRsa))), 'algorithm'],
    ['another issuer', withPart(3, commonNameOnly('Another')), 'issuer is not'],
    ['an end before its start', withPart(4, validity(ORDER.notAfter, start)), 'ends before'],
    ['a life longer than its issuer', withPart(4, validity(start, new Date(start.getTime() + 901 * DAY))), 'outlives'],
    [
      'a life longer than its profile',
      withPart(4, validity(start, new Date('2032-01-01T00:00:00Z'))),
      'longer than its profile',
    ],
    [
      'a GeneralizedTime before 2050',
      withPart(4, sequence(time(start), tlv(0x18, Buffer.from('20260301000000Z')))),
      'GeneralizedTime',
    ],
    ['another subject', withPart(5, commonNameOnly('Administrator')), 'subject is not the one'],
    ['an empty subject', withPart(5, sequence()), 'has not the parts'],
    ['the key of a stranger', withPart(6, stranger), 'possession was proved'],
    ['no extensions', withParts((parts) => parts.slice(0, 7)), 'eight parts'],
    ['bytes after the end', Buffer.concat([buildCertificate(ORDER), Buffer.of(0)]), 'bytes after the end'],
    ['a CA', replaced(OID.basicConstraints, basicConstraints({ pathLength: null })), 'CA:FALSE'],
    ['keyCertSign', replaced(OID.keyUsage, keyUsage(['digitalSignature', 'keyCertSign'])), 'keyUsage is not'],
    [
      'keyUsage that is not critical',
      replaced(OID.keyUsage, extension(OID.keyUsage, false, Buffer.from('03020780', 'hex'))),
      'not critical',
    ],
    [
      'keyUsage with zero bits at its end',
      replaced(OID.keyUsage, extension(OID.keyUsage, true, Buffer.from('03020080', 'hex'))),
      'keyUsage is not',
    ],
    ['no keyUsage', without(OID.keyUsage), `${OID.keyUsage} is missing`],
    ['no CDP', without(OID.crlDistributionPoints), `${OID.crlDistributionPoints} is missing`],
    ['no subjectAltName', without(OID.subjectAltName), 'subjectAltName is missing'],
    ['an extension twice', withExtensions((all) => [...all, ...all.filter(at(OID.keyUsage))]), 'twice'],
    [
      'an extension not of the profile',
      withExtensions((all) => [...all, extension(OID.ocspNoCheck, false, nullValue())]),
      'no place',
    ],
    ['an SKI of another key', replaced(OID.subjectKeyIdentifier, subjectKeyIdentifier(Buffer.alloc(20))), 'SKI'],
    ['a serial number of zero', withPart(1, tlv(0x02, Buffer.alloc(16))), 'shortest form'],
    [
      'a SID that nobody asked for',
      withExtensions((all) => [...all, securityIdentifier('S-1-5-21-1-2-3-500')]),
      'the SID',
    ],
    [
      'another principal',
      replaced(OID.subjectAltName, names({ userPrincipalName: 'root@corp.example', email: 'alice@corp.example' })),
      'exactly the names',
    ],
    [
      'a name too many',
      replaced(OID.subjectAltName, names({ ...ORDER.subjectAltName, email: 'root@corp.example' })),
      'exactly the names',
    ],
    ['a name too few', replaced(OID.subjectAltName, names({ email: 'alice@corp.example' })), 'exactly the names'],
    [
      'an EKU more',
      replaced(
        OID.extendedKeyUsage,
        extension(OID.extendedKeyUsage, false, sequence(objectIdentifier(OID.ocspSigning))),
      ),
      'extKeyUsage',
    ],
    [
      'DEFAULT FALSE written out',
      replaced(
        OID.ocsp,
        sequence(
          objectIdentifier(OID.authorityInformationAccess),
          Buffer.from('010100', 'hex'),
          octetString(sequence()),
        ),
      ),
      'critical',
    ],
  ])('refuses %s', (_name, body, finding) => {
    expect(findings(body)).toContain(finding);
  });

  const rsaInfo = (modulus: Buffer, exponent: number) => {
    const inner = sequence(unsignedInteger(modulus), unsignedInteger(exponent));
    return sequence(sequence(objectIdentifier(OID.rsaKey), nullValue()), tlv(0x03, Buffer.of(0), inner));
  };
  const odd = (bytes: number) => Buffer.alloc(bytes, 0x91);
  it.each<[string, Buffer, string]>([
    ['RSA of 1024 bits', rsaInfo(odd(128), 65537), '1024 bits'],
    ['RSA of 8192 bits', rsaInfo(odd(1024), 65537), '8192 bits'],
    ['an exponent of 3', rsaInfo(odd(256), 3), 'under 65537'],
    ['an even exponent', rsaInfo(odd(256), 65538), 'even number'],
    ['an even modulus', rsaInfo(Buffer.alloc(256, 0x90), 65537), 'even number'],
    [
      'another curve',
      sequence(sequence(objectIdentifier(OID.ecKey), objectIdentifier('1.3.132.0.10')), tlv(0x03, Buffer.alloc(66))),
      'no curve',
    ],
    [
      'a compressed point',
      sequence(
        sequence(objectIdentifier(OID.ecKey), objectIdentifier(OID.p256)),
        tlv(0x03, Buffer.of(0, 2), Buffer.alloc(32, 1)),
      ),
      'no uncompressed point',
    ],
  ])('refuses a key of %s, whoever let it through', (_name, publicKey, finding) => {
    const order = { ...ORDER, publicKey };
    const found = () => lintCertificate(buildCertificate(order), order);
    expect(found).toThrow(LintError);
    expect(found).toThrow(finding);
  });

  it('refuses an order of names that its profile does not have', () => {
    const order = { ...ORDER, subjectAltName: { ...ORDER.subjectAltName, dnsNames: ['a.example'] } };
    expect(() => lintCertificate(buildCertificate(order), order)).toThrow('has no dnsNames');
    const mail = { ...ORDER, profile: KINDS['smime-signature'], subjectAltName: {} };
    expect(() => lintCertificate(buildCertificate(mail), mail)).toThrow('must have email');
  });

  it.each(Object.values(KINDS))('passes an order of $name with all the names it may have', (profile) => {
    const names = {
      userPrincipalName: 'alice@corp.example',
      kerberosPrincipal: 'alice@CORP.EXAMPLE',
      email: 'alice@corp.example',
      dnsNames: ['lap-7.corp.example'],
    };
    const may = Object.fromEntries(Object.entries(names).filter(([kind]) => Object.hasOwn(profile.names, kind)));
    const sid = Object.hasOwn(profile.names, 'securityIdentifier') ? { securityIdentifier: 'S-1-5-21-1-2-3-500' } : {};
    const order = { ...ORDER, profile, organization: 'Corp', subjectAltName: may, ...sid };
    expect(lintCertificate(buildCertificate(order), order)).toBeInstanceOf(LintedCertificate);
  });

  it('gives a token that is good for one signature of exactly what was checked', async () => {
    const issuer = keys();
    const body = buildCertificate(ORDER);
    const linted = lintCertificate(body, ORDER);
    body.fill(0); // what happens to the bytes after the check changes nothing
    const certificate = new X509Certificate(await certify(linted, SIGNATURE_ALGORITHM, signWith(issuer.privateKey)));
    expect(certificate.subject).toBe('CN=Alice Adams');
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    await expect(certify(linted, SIGNATURE_ALGORITHM, signWith(issuer.privateKey))).rejects.toThrow('signed once');
    expect(() => new LintedCertificate(Symbol('lint'), body)).toThrow(TypeError);
  });
});
