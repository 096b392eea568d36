import { CertificateRevocationList } from 'pkijs';
import { describe, expect, it } from 'vitest';
import { readDer } from '../asn1/reader.ts';
import { SIGNATURE_ALGORITHM, signed } from '../x509/certificate.ts';
import { commonNameOnly } from '../x509/extensions.ts';
import { buildCrl, CrlBody, type CrlFields, type RevokedEntry } from './crl.ts';

const FIELDS: CrlFields = {
  issuer: {
    name: commonNameOnly('An issuer'),
    keyIdentifier: Buffer.alloc(20, 7),
    signatureAlgorithm: SIGNATURE_ALGORITHM,
  },
  number: 1n,
  thisUpdate: new Date('2026-01-01T00:00:00Z'),
  nextUpdate: new Date('2026-01-02T00:00:00Z'),
  entries: [],
};
const entry = (n: number, reason: RevokedEntry['reason'] = 'superseded'): RevokedEntry => {
  const serialNumber = Buffer.alloc(16, 0xff);
  serialNumber.writeUInt32BE(n + 0x7fffff00, 0);
  return { serialNumber, reason, revokedAt: FIELDS.thisUpdate };
};

describe('a CRL', () => {
  it('is read by pkijs as it was meant, whatever the number of its entries', () => {
    for (const count of [0, 1, 2, 3, 4, 7, 8, 500]) {
      const entries = Array.from({ length: count }, (_, n) => entry(n, n % 2 === 0 ? 'keyCompromise' : 'unspecified'));
      const crl = signed(buildCrl({ ...FIELDS, entries }).take(), SIGNATURE_ALGORITHM, Buffer.alloc(8));
      const read = CertificateRevocationList.fromBER(new Uint8Array(crl));
      const serials = (read.revokedCertificates ?? []).map(({ userCertificate }) =>
        Buffer.from(userCertificate.valueBlock.valueHexView).toString('hex'),
      );
      expect(serials.map((serial) => serial.slice(-32))).toEqual(
        entries.map(({ serialNumber }) => Buffer.from(serialNumber).toString('hex')),
      );
      for (const [at, revoked] of (read.revokedCertificates ?? []).entries()) {
        expect(revoked.crlEntryExtensions?.extensions.length ?? 0).toBe(at % 2 === 0 ? 1 : 0);
      }
      expect(read.version).toBe(1);
      expect(read.crlExtensions?.extensions.map(({ extnID }) => extnID)).toEqual(['2.5.29.35', '2.5.29.20']);
    }
  });

  it('of 100,000 entries takes well under the time of reading them', () => {
    const entries = Array.from({ length: 100_000 }, (_, n) => entry(n));
    const start = performance.now();
    const body = buildCrl({ ...FIELDS, entries }).take();
    expect(performance.now() - start).toBeLessThan(5000);
    const read = readDer(body, { maxBytes: 10_000_000, maxDepth: 10, maxValues: 1_000_000 });
    expect(read.children[5]?.children).toHaveLength(100_000);
  });

  it('is signed once, has a number from 1, and ends after it begins', () => {
    const body = buildCrl(FIELDS);
    body.take();
    expect(() => body.take()).toThrow('signed once');
    expect(() => new CrlBody(Symbol('crl'), Buffer.alloc(1))).toThrow(TypeError);
    for (const number of [0n, -1n, 1n << 159n]) expect(() => buildCrl({ ...FIELDS, number })).toThrow(RangeError);
    expect(() => buildCrl({ ...FIELDS, nextUpdate: FIELDS.thisUpdate })).toThrow(RangeError);
  });
});
