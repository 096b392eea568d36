import { describe, expect, it } from 'vitest';
import { explicit, objectIdentifier, octetString, sequence, tlv, unsignedInteger } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { extension } from '../x509/extensions.ts';
import { parseOcspRequest } from './request.ts';

const certId = (serial = 5) =>
  sequence(
    sequence(objectIdentifier(OID.sha1), tlv(0x05)),
    octetString(Buffer.alloc(20, 1)),
    octetString(Buffer.alloc(20, 2)),
    unsignedInteger(serial),
  );
const list = (count = 1) => sequence(...Array.from({ length: count }, (_, n) => sequence(certId(n))));
const request = (...body: Buffer[]) => sequence(sequence(...body));
const nonce = (bytes: number) => extension(OID.ocspNonce, false, octetString(Buffer.alloc(bytes, 9)));
const withNonce = (bytes: number) => request(list(), explicit(2, sequence(nonce(bytes))));
const unknown = (critical: boolean) => extension('1.2.3.4', critical, octetString(Buffer.of(1)));

const MALFORMED = expect.objectContaining({ kind: 'invalid', code: 'ocsp-request-malformed' });

describe('an OCSP request', () => {
  it('is plain when it asks after one certificate and says nothing else', () => {
    const asker = explicit(1, explicit(4, sequence()));
    const version = explicit(0, unsignedInteger(0));
    expect(parseOcspRequest(request(list())).plain).toBe(true);
    for (const other of [request(list(2)), withNonce(16), request(asker, list()), request(version, list())]) {
      expect(parseOcspRequest(other).plain).toBe(false);
    }
  });

  it('by a hash with parameters of its own is after nothing that is known here', () => {
    const odd = sequence(
      sequence(objectIdentifier(OID.sha1), octetString(Buffer.of(1))),
      octetString(Buffer.alloc(20, 1)),
      octetString(Buffer.alloc(20, 2)),
      unsignedInteger(5),
    );
    expect(parseOcspRequest(request(sequence(sequence(odd)))).certIds[0]?.hash).toBeNull();
  });

  it('is read with its nonce, whoever asks and however it is signed', () => {
    const name = explicit(4, sequence());
    const signature = explicit(0, sequence(sequence(objectIdentifier(OID.sha256WithRsa)), tlv(0x03, Buffer.of(0, 1))));
    const body = sequence(
      explicit(0, unsignedInteger(0)),
      explicit(1, name),
      list(2),
      explicit(2, sequence(nonce(32))),
    );
    const { certIds, nonce: said } = parseOcspRequest(sequence(body, signature));
    expect(certIds.map(({ serialNumber }) => serialNumber.toString('hex'))).toEqual(['00', '01']);
    expect(certIds[0]?.raw).toEqual(certId(0));
    expect(said).toEqual(octetString(Buffer.alloc(32, 9)));
  });

  it('may have extensions that are not known, but no critical ones', () => {
    expect(parseOcspRequest(request(list(), explicit(2, sequence(unknown(false))))).nonce).toBeNull();
    expect(() => parseOcspRequest(request(list(), explicit(2, sequence(unknown(true)))))).toThrow('critical');
    const item = sequence(certId(), explicit(0, sequence(unknown(true))));
    expect(() => parseOcspRequest(request(sequence(item)))).toThrow('critical');
  });

  it.each([1, 16, 32, 128])('may have a nonce of %i bytes', (bytes) => {
    expect(parseOcspRequest(withNonce(bytes)).nonce).not.toBeNull();
  });

  it.each([
    ['an empty nonce', withNonce(0)],
    ['a nonce of 129 bytes', withNonce(129)],
    [
      'a nonce that is no OCTET STRING',
      request(list(), explicit(2, sequence(extension(OID.ocspNonce, false, unsignedInteger(1))))),
    ],
    ['two nonces', request(list(), explicit(2, sequence(nonce(16), nonce(16))))],
    ['no certificates', request(sequence())],
    ['17 certificates', request(list(17))],
    ['version 2', request(explicit(0, unsignedInteger(1)), list())],
    ['a part too many', request(list(), explicit(2, sequence(nonce(16))), explicit(3, sequence()))],
    ['a CertID without a serial number', request(sequence(sequence(sequence(sequence(objectIdentifier(OID.sha1))))))],
    ['10 MB', request(tlv(0x30, Buffer.alloc(10_000_000)))],
    ['a thousand levels', Array.from({ length: 1000 }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0))],
    ['an indefinite length', Buffer.from('30803080000000000', 'hex')],
    ['2,000 values', request(list(16), explicit(2, sequence(...Array.from({ length: 2000 }, () => tlv(0x05)))))],
    ['a length in a longer form than it needs', Buffer.from('308103300100', 'hex')],
    ['a negative version', request(explicit(0, Buffer.from('0201ff', 'hex')), list())],
    [
      'a serial number of no bytes',
      request(
        sequence(
          sequence(
            sequence(
              sequence(objectIdentifier(OID.sha1)),
              octetString(Buffer.alloc(20)),
              octetString(Buffer.alloc(20)),
              tlv(0x02),
            ),
          ),
        ),
      ),
    ],
    ['a signature that is none', sequence(sequence(list()), tlv(0x05))],
    [
      'an extension whose critical is no BOOLEAN',
      request(
        list(),
        explicit(
          2,
          sequence(sequence(objectIdentifier(OID.ocspNonce), tlv(0x05), octetString(octetString(Buffer.of(1))))),
        ),
      ),
    ],
    [
      'the same extension within a request twice',
      request(sequence(sequence(certId(), explicit(0, sequence(nonce(1), nonce(1)))))),
    ],
    ['a SET', tlv(0x31)],
    ['nothing', sequence()],
  ])('with %s is refused', (_name, der) => {
    expect(() => parseOcspRequest(der)).toThrow(MALFORMED);
  });

  it('mangled in any byte ends with a request or is refused as malformed', () => {
    const good = withNonce(16);
    for (let at = 0; at < good.length; at += 1) {
      for (const flip of [0x01, 0x20, 0x80, 0xff]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ flip;
        try {
          parseOcspRequest(bad);
        } catch (error) {
          expect(error).toEqual(MALFORMED);
        }
      }
    }
  });
});
