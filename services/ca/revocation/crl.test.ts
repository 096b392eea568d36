import { CertificateRevocationList } from 'pkijs';
import { describe, expect, it } from 'vitest';
import { dottedOid, readDer } from '../asn1/reader.ts';
import { SIGNATURE_ALGORITHM } from '../x509/certificate.ts';
import { commonNameOnly } from '../x509/extensions.ts';
import { CrlBody, type CrlFields, CrlWriter } from './crl.ts';
import { crlEntry } from './entry.ts';
import { REASON_CODES, type RevocationReason } from './reasons.ts';

const FIELDS: CrlFields = {
  issuer: {
    name: commonNameOnly('An issuer'),
    keyIdentifier: Buffer.alloc(20, 7),
    signatureAlgorithm: SIGNATURE_ALGORITHM,
  },
  number: 2n,
  thisUpdate: new Date('2026-01-01T00:00:00Z'),
  nextUpdate: new Date('2026-01-02T00:00:00Z'),
  distributionPoint: null,
  kind: { full: true, freshest: null },
  entryCount: 0,
  entryBytes: 0,
};
const entry = (n: number, reason: RevocationReason | null = 'superseded', invalidityDate: Date | null = null) => {
  const serialNumber = Buffer.alloc(16, 0xff);
  serialNumber.writeUInt32BE(n + 0x7fffff00, 0);
  return crlEntry({ serialNumber, reason, at: FIELDS.thisUpdate, invalidityDate });
};
const sign = async () => Buffer.alloc(72, 1);

async function crlOf(entries: readonly Buffer[], changes: Partial<CrlFields> = {}): Promise<Buffer> {
  const all = Buffer.concat(entries);
  const writer = new CrlWriter({ ...FIELDS, ...changes, entryCount: entries.length, entryBytes: all.length });
  for (const some of entries) writer.write(some);
  return writer.end().sign(sign);
}
const read = (crl: Buffer) => CertificateRevocationList.fromBER(new Uint8Array(crl));

/** Of each extension: OID, whether critical, value in hex. */
const extensionsOf = (crl: Buffer) =>
  (read(crl).crlExtensions?.extensions ?? []).map(({ extnID, critical, extnValue }) => [
    extnID,
    critical,
    Buffer.from(extnValue.valueBlock.valueHexView).toString('hex'),
  ]);

describe('a CRL', () => {
  it('is read by pkijs as it was meant, whatever the number of its entries', async () => {
    for (const count of [0, 1, 2, 3, 4, 7, 8, 500]) {
      const entries = Array.from({ length: count }, (_, n) => entry(n, n % 2 === 0 ? 'keyCompromise' : 'unspecified'));
      const crl = await crlOf(entries);
      expect(readDer(crl, { maxBytes: 1e6, maxDepth: 10, maxValues: 1e6 }).children).toHaveLength(3);
      const list = read(crl).revokedCertificates ?? [];
      const serials = list.map(({ userCertificate }) =>
        Buffer.from(userCertificate.valueBlock.valueHexView).toString('hex').slice(-32),
      );
      expect(serials).toEqual(entries.map((_, n) => `${(n + 0x7fffff00).toString(16)}${'ff'.repeat(12)}`));
      for (const [at, revoked] of list.entries()) {
        expect(revoked.crlEntryExtensions?.extensions.length ?? 0).toBe(at % 2 === 0 ? 1 : 0);
      }
      expect(read(crl).version).toBe(1);
      expect(extensionsOf(crl).map(([oid]) => oid)).toEqual(['2.5.29.35', '2.5.29.20']);
    }
  });

  it('that is a delta, or one of several, says so critically; a full one names its delta', async () => {
    const url = 'http://pki.test/pki/issuing-3.crl';
    const uri = Buffer.concat([Buffer.of(0x86, url.length), Buffer.from(url)]).toString('hex');
    const wrapped = tlv;
    const point = wrapped(0x30, wrapped(0xa0, wrapped(0xa0, uri)));
    const delta = await crlOf([entry(1, null)], { distributionPoint: url, kind: { full: false, baseNumber: 1n } });
    expect(extensionsOf(delta).slice(2)).toEqual([
      ['2.5.29.28', true, point],
      ['2.5.29.27', true, '020101'],
    ]);
    const full = await crlOf([], { kind: { full: true, freshest: url } });
    expect(extensionsOf(full).slice(2)).toEqual([['2.5.29.46', false, wrapped(0x30, point)]]);
  });

  it('takes the entries it was told of, whole, and no others', async () => {
    const [one, two] = [entry(1), entry(2)];
    const writer = (entryCount: number, entryBytes: number) => new CrlWriter({ ...FIELDS, entryCount, entryBytes });
    expect(() => writer(1, one.length).end()).toThrow('not the entries');
    expect(() => writer(1, one.length).write(Buffer.concat([one, two]))).toThrow('more entries');
    expect(() => writer(1, one.length).write(one.subarray(0, -1))).toThrow('cut off');
    expect(() => writer(1, 5).write(Buffer.from('0203010203', 'hex'))).toThrow('no entry');
    const miscounted = writer(1, one.length + two.length);
    miscounted.write(Buffer.concat([one, two]));
    expect(() => miscounted.end()).toThrow('not the entries');
  });

  it('is signed once, has a number from 1, ends after it begins, and a delta comes after its base', async () => {
    const body = new CrlWriter(FIELDS).end();
    const signed: Buffer[] = [];
    await body.sign(async (bytes) => {
      signed.push(Buffer.from(bytes));
      return Buffer.alloc(70);
    });
    expect(readDer(signed[0] ?? Buffer.of(), { maxBytes: 1000, maxDepth: 10, maxValues: 100 }).children).toHaveLength(
      6,
    );
    await expect(body.sign(sign)).rejects.toThrow('signed once');
    expect(() => new CrlBody(Symbol('crl'), Buffer.alloc(1), 1, Buffer.of())).toThrow(TypeError);
    for (const number of [0n, -1n, 1n << 159n]) expect(() => new CrlWriter({ ...FIELDS, number })).toThrow(RangeError);
    expect(() => new CrlWriter({ ...FIELDS, nextUpdate: FIELDS.thisUpdate })).toThrow(RangeError);
    expect(() => new CrlWriter({ ...FIELDS, kind: { full: false, baseNumber: 2n } })).toThrow(RangeError);
    const large = new CrlWriter(FIELDS).end();
    await expect(large.sign(async () => Buffer.alloc(2000))).rejects.toThrow(RangeError);
  });
});

describe('an entry', () => {
  const codes = (der: Buffer) =>
    (readDer(der, { maxBytes: 200, maxDepth: 6, maxValues: 30 }).children[2]?.children ?? []).map(({ children }) => [
      children[0] && dottedOid(children[0]),
      children[1]?.content.toString('hex'),
    ]);

  it.each(Object.entries(REASON_CODES))('gives the reason %s as %i, but none for unspecified', (reason, code) => {
    const said = codes(entry(1, reason as RevocationReason));
    expect(said).toEqual(code === 0 ? [] : [['2.5.29.21', `0a010${code}`]]);
  });

  it('takes a certificate from the list, and says since when a key was bad, always as GeneralizedTime', () => {
    expect(codes(entry(1, null))).toEqual([['2.5.29.21', '0a0108']]);
    const since = codes(entry(1, 'keyCompromise', new Date('2025-12-24T10:00:00Z')));
    expect(since).toEqual([
      ['2.5.29.21', '0a0101'],
      ['2.5.29.24', `180f${Buffer.from('20251224100000Z').toString('hex')}`],
    ]);
  });
});

const tlv = (tag: number, inside: string) =>
  tag.toString(16).padStart(2, '0') + (inside.length / 2).toString(16).padStart(2, '0') + inside;
