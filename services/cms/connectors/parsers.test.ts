import { fuzz } from '@cardwright/protocol/testing';
import { describe, expect, it } from 'vitest';
import { certificatesInPem, pemOf } from './pem.ts';
import { certificatesInPkcs7 } from './pkcs7.ts';
import { askedBeyondKey } from './request-names.ts';
import { createOpensslCa } from './testing/openssl-ca.ts';
import { connectorParsers, indefinite } from './testing/parsers.ts';

const bytes = (length: number) => new Uint8Array(length).fill(7);
const refused = (code: string) => expect.objectContaining({ code });

/** A thousand inputs each; the bench gives a million to the same list, with a seed of its own. */
it.each(Object.entries(connectorParsers()))('%s: whatever comes is read or refused', (_, { parse, samples }) => {
  for (const sample of samples) expect(() => parse(sample)).not.toThrow();
  expect(fuzz(parse, 1000, 20_261_121, samples).inputs).toBe(1000);
});

describe('certificates in PEM', () => {
  it('are read in their order, with text around them', () => {
    const text = `a word\n${pemOf('CERTIFICATE', bytes(100))}another\r\n${pemOf('CERTIFICATE', bytes(3))}`;
    expect(certificatesInPem(text).map(({ length }) => length)).toEqual([100, 3]);
  });

  it.each([
    ['nothing', ''],
    ['a key', pemOf('PRIVATE KEY', bytes(9))],
    ['half a block', '-----BEGIN CERTIFICATE-----\nAAAA\n'],
    ['no base64', '-----BEGIN CERTIFICATE-----\nA=AA\n-----END CERTIFICATE-----'],
    ['eleven', pemOf('CERTIFICATE', bytes(9)).repeat(11)],
  ])('%s is refused', (_what, text) => {
    expect(() => certificatesInPem(text)).toThrow(refused('ca-answer-malformed'));
  });
});

describe('certificates in PKCS #7', () => {
  it('are read from lengths of both forms', () => {
    const certificate = Buffer.concat([Buffer.from([0x30, 3]), bytes(3)]);
    expect(certificatesInPkcs7(indefinite(certificate, certificate))).toHaveLength(2);
  });

  it('are not looked for deeper than they can be, nor beyond ten', () => {
    const deep = Buffer.concat([Buffer.alloc(100_000, Buffer.from([0x30, 0x80]))]);
    expect(() => certificatesInPkcs7(deep)).toThrow(refused('ca-answer-malformed'));
    const many = Array.from({ length: 11 }, () => Buffer.from([0x30, 0]));
    expect(() => certificatesInPkcs7(indefinite(...many))).toThrow(refused('ca-answer-malformed'));
    expect(() => certificatesInPkcs7(indefinite())).toThrow(refused('ca-answer-malformed'));
  });
});

it('says all that a request asks for beside its key', () => {
  const ca = createOpensslCa();
  try {
    const asks = ['subjectAltName=email:x@evil.example,DNS:a.example', 'keyUsage=keyCertSign'];
    const { names, items } = askedBeyondKey(ca.request('/CN=Mallory/O=Evil', { extensions: asks }));
    expect([...names].sort()).toEqual(['cn:Mallory', 'dns:a.example', 'email:x@evil.example', 'o:Evil']);
    expect(items).toEqual(['subject', 'extension 2.5.29.17', 'extension 2.5.29.15']);
  } finally {
    ca.remove();
  }
});
