import { parseCertificate } from '@cardwright/protocol/attestation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateReader } from '../certificates/reader.x509.ts';
import { certificatesFrom, judgeAnswer, type PinnedChain } from './judge-answer.ts';
import { createOpensslCa, type IssueOptions, type OpensslCa, orderOf, TLS_CLIENT } from './testing/openssl-ca.ts';

let ca: OpensslCa;
let other: OpensslCa;
let csr: Uint8Array;
let pinned: PinnedChain;
const reader = createCertificateReader();
const der = (certificate: { raw: Buffer }) => new Uint8Array(certificate.raw);

beforeAll(() => {
  [ca, other] = [createOpensslCa(), createOpensslCa()];
  csr = ca.request('/CN=whatever');
  pinned = [parseCertificate(der(ca.certificate))];
});
afterAll(() => {
  ca.remove();
  other.remove();
});

const issued = (options: Partial<IssueOptions> = {}, by = ca, key = reader.publicKeyOf(csr)) =>
  by.issue(key, { subject: '/CN=Mary Major', extensions: TLS_CLIENT, ...options });
const judge = (certificate: Uint8Array, order = orderOf(csr)) =>
  judgeAnswer(parseCertificate(certificate), order, reader.publicKeyOf(csr), pinned, new Date());
const without = (what: string, ...instead: string[]) => [
  ...TLS_CLIENT.filter((line) => !line.startsWith(what)),
  ...instead,
];

describe('what a CA sent', () => {
  it('is taken when it is what was ordered', () => {
    expect(() => judge(issued())).not.toThrow();
  });

  it('may name the organisation that the CA adds, and no person beside', () => {
    expect(() => judge(issued({ subject: '/C=SE/O=Corp/OU=IT/CN=Mary Major' }))).not.toThrow();
    const ordered = orderOf(csr, { subject: { commonName: 'Mary Major', organization: 'Corp' } });
    expect(() => judge(issued({ subject: '/O=Corp/CN=Mary Major' }), ordered)).not.toThrow();
  });

  it.each([
    ['another key', 'ca-answer-other-key', () => issued({}, ca, reader.publicKeyOf(ca.request('/CN=x')))],
    ['another CA of the same name', 'ca-answer-not-from-ca', () => issued({}, other)],
    ['a signature over SHA-1', 'ca-answer-not-from-ca', () => issued({ digest: 'sha1' })],
    ['another person', 'ca-answer-other-names', () => issued({ subject: '/CN=John Doe' })],
    ['a second person', 'ca-answer-other-names', () => issued({ subject: '/CN=Mary Major/CN=John Doe' })],
    ['an account in the subject', 'ca-answer-other-names', () => issued({ subject: '/UID=root/CN=Mary Major' })],
    ['no e-mail address', 'ca-answer-other-names', () => issued({ extensions: without('subjectAltName') })],
    [
      'a second e-mail address',
      'ca-answer-other-names',
      () =>
        issued({
          extensions: without('subjectAltName', 'subjectAltName=email:mary@corp.example,email:x@evil.example'),
        }),
    ],
    [
      'an account that nobody ordered',
      'ca-answer-other-names',
      () =>
        issued({
          extensions: without(
            'subjectAltName',
            'subjectAltName=email:mary@corp.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:root@corp.example',
          ),
        }),
    ],
    [
      'an address of another kind',
      'ca-answer-other-names',
      () =>
        issued({
          extensions: without('subjectAltName', 'subjectAltName=email:mary@corp.example,URI:urn:x,IP:1.2.3.4'),
        }),
    ],
    [
      'a use too many',
      'ca-answer-other-usage',
      () => issued({ extensions: without('extendedKeyUsage', 'extendedKeyUsage=clientAuth,msSmartcardLogin') }),
    ],
    ['no extended use', 'ca-answer-other-usage', () => issued({ extensions: without('extendedKeyUsage') })],
    [
      'another use of the key',
      'ca-answer-other-usage',
      () => issued({ extensions: without('keyUsage', 'keyUsage=digitalSignature,cRLSign') }),
    ],
    [
      'a CA',
      'ca-answer-other-usage',
      () => issued({ extensions: without('basicConstraints', 'basicConstraints=critical,CA:TRUE') }),
    ],
    ['a longer time', 'ca-answer-other-validity', () => issued({ days: 11 })],
  ])('is refused when it is for %s', (_what, code, make) => {
    expect(() => judge(make())).toThrow(expect.objectContaining({ kind: 'internal', code }));
  });

  it('holds a sign-in certificate to all its names', () => {
    const names = { userPrincipalName: 'mary@corp.example', kerberosPrincipal: null, email: null, dnsNames: null };
    const order = orderOf(csr, { profile: 'smart-card-sign-in', subjectAltName: names });
    const uses = 'extendedKeyUsage=clientAuth,1.3.6.1.4.1.311.20.2.2,1.3.6.1.5.2.3.4';
    const withUpn = (upn: string) => [
      ...without('extendedKeyUsage', uses).filter((line) => !line.startsWith('subjectAltName')),
      `subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:${upn}`,
    ];
    expect(() => judge(issued({ extensions: withUpn('Mary@CORP.example') }), order)).not.toThrow();
    expect(() => judge(issued({ extensions: withUpn('mary@corp.example.evil') }), order)).toThrow(
      expect.objectContaining({ code: 'ca-answer-other-names' }),
    );
  });

  it('counts from the CA of the configuration only, and that CA is no answer', () => {
    const good = issued();
    const answer = [der(other.certificate), der(ca.certificate), good, issued({}, other)];
    expect(certificatesFrom(answer, pinned).map(({ bytes }) => Buffer.from(bytes))).toEqual([Buffer.from(good)]);
    expect(() => certificatesFrom([der(ca.certificate), issued({}, other)], pinned)).toThrow(
      expect.objectContaining({ code: 'ca-answer-not-from-ca' }),
    );
    expect(() => certificatesFrom([new Uint8Array([0x30, 0x03, 1, 2, 3])], pinned)).toThrow(
      expect.objectContaining({ code: 'ca-answer-malformed' }),
    );
  });

  it('is all kept when one of it is garbage', () => {
    expect(certificatesFrom([new Uint8Array(4), issued()], pinned)).toHaveLength(1);
  });
});
