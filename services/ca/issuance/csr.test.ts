import { generateKeyPairSync } from 'node:crypto';
import { fuzzAsync } from '@cardwright/protocol/testing';
import { describe, expect, it } from 'vitest';
import {
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  tlv,
  unsignedInteger,
  utf8String,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { attribute, extensionRequest, type RequestParts, requestInfo, signedRequest } from '../testing/make-request.ts';
import { ISSUANCE_PARSERS, REFUSALS } from '../testing/parsers.ts';
import { CSR_BOUNDS, provenKey } from './csr.ts';

const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKey.export({ type: 'spki', format: 'der' });
const request = (parts: RequestParts = {}) => signedRequest(key, requestInfo(key, parts));
const refusal = (code: string, detail = '') =>
  expect.objectContaining({ kind: 'unprocessable', code, detail: expect.stringContaining(detail) });

const PASSWORD = '1.2.840.113549.1.9.7';
const WINDOWS_VERSION = '1.3.6.1.4.1.311.13.2.3';

describe('a certification request', () => {
  it('gives its key, and says what else it asked for', async () => {
    const attributes = [
      extensionRequest(OID.subjectAltName, OID.keyUsage),
      attribute(PASSWORD, utf8String('secret')),
      attribute(WINDOWS_VERSION, utf8String('10.0')),
    ];
    expect(await provenKey(request({ attributes }))).toEqual({
      publicKey: spki,
      ignored: [
        'subject',
        'extension 2.5.29.17',
        'extension 2.5.29.15',
        `attribute ${PASSWORD}`,
        `attribute ${WINDOWS_VERSION}`,
      ],
    });
  });

  it('asks for nothing with an empty subject and no attributes, even without their part', async () => {
    for (const attributes of [[], null]) {
      expect((await provenKey(request({ subject: sequence(), attributes }))).ignored).toEqual([]);
    }
  });

  it('that asks for very much is told of twenty', async () => {
    const oids = Array.from({ length: 60 }, (_, n) => `1.2.3.${n}`);
    const { ignored } = await provenKey(request({ attributes: [extensionRequest(...oids)] }));
    expect(ignored).toHaveLength(20);
    expect(ignored.at(-1)).toBe('more');
  });

  const good = request();
  const name = (value: Buffer) => sequence(setOf(sequence(objectIdentifier(OID.commonName), value)));
  const nested = (depth: number, inner: Buffer = nullValue()): Buffer =>
    depth === 0 ? inner : nested(depth - 1, sequence(inner));
  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'cut off'],
    ['bytes after its end', Buffer.concat([good, Buffer.of(0)]), 'bytes after the end'],
    ['its last byte missing', good.subarray(0, -1), 'beyond what holds it'],
    ['an indefinite length', Buffer.concat([Buffer.of(0x30, 0x80), good.subarray(4), Buffer.of(0, 0)]), 'indefinite'],
    [
      'a length in a longer form than it needs',
      Buffer.concat([Buffer.from('308300', 'hex'), good.subarray(2)]),
      'shortest form',
    ],
    ['10 MB', Buffer.concat([good, Buffer.alloc(10_000_000)]), `longer than ${CSR_BOUNDS.maxBytes} bytes`],
    ['a whole value of 10 MB', octetString(Buffer.alloc(10_000_000)), 'longer than'],
    ['values nested a thousand deep', nested(1000), 'nested deeper'],
    ['attributes nested deep', request({ attributes: [attribute(PASSWORD, nested(20))] }), 'nested deeper'],
    ['more values than a request has', sequence(...Array.from({ length: 2000 }, nullValue)), 'values'],
    ['another version', request({ version: unsignedInteger(1) }), 'version'],
    ['a subject that is no name', request({ subject: sequence(utf8String('Alice')) }), 'a name'],
    ['invalid UTF-8 in its subject', request({ subject: name(tlv(0x0c, Buffer.from('c328', 'hex'))) }), 'UTF-8'],
    [
      'invalid UTF-8 in an attribute',
      request({ attributes: [attribute(PASSWORD, tlv(0x0c, Buffer.of(0xff)))] }),
      'UTF-8',
    ],
    ['an attribute twice', request({ attributes: [attribute(PASSWORD), attribute(PASSWORD)] }), 'twice'],
    ['an extension twice', request({ attributes: [extensionRequest(OID.keyUsage, OID.keyUsage)] }), 'twice'],
    [
      'extensions in two attributes',
      request({ attributes: [extensionRequest(OID.keyUsage), extensionRequest()] }),
      'twice',
    ],
    [
      'two lists of extensions',
      request({ attributes: [attribute(OID.extensionRequest, sequence(), sequence(sequence()))] }),
      'extensionRequest',
    ],
    [
      'an extension of no form',
      request({ attributes: [attribute(OID.extensionRequest, sequence(sequence(nullValue())))] }),
      'extension',
    ],
    ['an attribute of no form', request({ attributes: [sequence(nullValue())] }), 'attribute'],
    ['a part too many', signedRequest(key, sequence(requestInfo(key), nullValue())), 'RFC 2986'],
  ])('with %s is malformed', async (_what, bytes, detail) => {
    await expect(provenKey(bytes)).rejects.toEqual(refusal('csr-malformed', detail));
  });

  it('with a key of no form, or of no kind that is certified, is refused for its key', async () => {
    const { publicKey: strange } = generateKeyPairSync('ed25519');
    const offCurve = Buffer.from(spki);
    offCurve[90] = (offCurve[90] ?? 0) ^ 1;
    for (const info of [sequence(), offCurve, strange.export({ type: 'spki', format: 'der' })]) {
      await expect(provenKey(request({ publicKey: info }))).rejects.toEqual(refusal('csr-key-not-allowed'));
    }
  });

  it('with RSA numbers that are negative, or with parts besides, is refused for its key', async () => {
    const algorithm = sequence(objectIdentifier(OID.rsaKey), nullValue());
    const of = (inner: Buffer) => sequence(algorithm, tlv(0x03, Buffer.of(0), inner));
    const n = Buffer.alloc(256, 0x91);
    for (const inner of [
      sequence(tlv(0x02, n), unsignedInteger(65537)),
      sequence(unsignedInteger(n), tlv(0x02, Buffer.of(0x81))),
      sequence(unsignedInteger(n), unsignedInteger(65537), nullValue()),
      Buffer.from('30', 'hex'),
    ]) {
      const refused = provenKey(signedRequest(key, requestInfo(key, { publicKey: of(inner) })));
      await expect(refused).rejects.toEqual(refusal('csr-key-not-allowed'));
    }
  });

  it('signed by another key, with another algorithm, or changed after it was signed, is refused for its signature', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const unknown = sequence(requestInfo(key), sequence(objectIdentifier('1.2.3.4')), tlv(0x03, Buffer.of(0, 1)));
    const bits = sequence(
      requestInfo(key),
      sequence(objectIdentifier(OID.ecdsaWithSha256)),
      tlv(0x03, Buffer.of(1, 2)),
    );
    const renamed = Buffer.from(good);
    renamed.write('Of', renamed.indexOf('of no interest'));
    for (const bytes of [signedRequest(other, requestInfo(key)), unknown, bits, renamed]) {
      await expect(provenKey(bytes)).rejects.toEqual(refusal('csr-signature-invalid'));
    }
  });

  it('of 10 MB is refused in no time, for nobody reads it', async () => {
    const huge = octetString(Buffer.alloc(10_000_000));
    const before = process.memoryUsage().rss;
    for (let time = 0; time < 200; time += 1) await provenKey(huge).catch(() => undefined);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it.each(Object.entries(ISSUANCE_PARSERS))(
    '%s: whatever is sent is taken or refused by one of three codes',
    async (_name, { parse, samples }) => {
      const { accepted, refused } = await fuzzAsync(parse, 1000, 20_261_121, samples);
      expect(accepted + Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(1000);
      expect(REFUSALS).toEqual(expect.arrayContaining(Object.keys(refused)));
    },
  );
});
