import {
  type Bytes,
  enumerated,
  explicit,
  headerLength,
  objectIdentifier,
  octetString,
  sequence,
  TAG,
  time,
  unsignedContent,
  unsignedInteger,
  writeHeader,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { authorityKeyIdentifier, extension } from '../x509/extensions.ts';
import { REASON_CODES, type RevocationReason } from './reasons.ts';

export interface RevokedEntry {
  readonly serialNumber: Bytes;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

export interface CrlFields {
  readonly issuer: { readonly name: Bytes; readonly keyIdentifier: Bytes; readonly signatureAlgorithm: Bytes };
  /** Greater than that of every CRL before (RFC 5280 5.2.3). */
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: readonly RevokedEntry[];
}

const KEY = Symbol('crl');

/** The body of a CRL, to be signed once. Only {@link buildCrl} makes one, so that a signer of CRLs signs nothing else. */
export class CrlBody {
  #body: Buffer | undefined;

  constructor(key: symbol, body: Buffer) {
    if (key !== KEY) throw new TypeError('only buildCrl makes one of these');
    this.#body = body;
  }

  take(): Buffer {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined) throw new Error('a CRL body is signed once');
    return body;
  }
}

/** TBSCertList, version 2, full, with authorityKeyIdentifier and cRLNumber (RFC 5280 5.1, 5.2). */
export function buildCrl(fields: CrlFields): CrlBody {
  if (fields.number < 1n || fields.number >= 1n << 159n) throw new RangeError('a CRL number is 1 to under 2^159');
  if (fields.nextUpdate <= fields.thisUpdate) throw new RangeError('nextUpdate comes after thisUpdate');
  const extensions = sequence(
    authorityKeyIdentifier(fields.issuer.keyIdentifier),
    extension(OID.crlNumber, false, unsignedInteger(fields.number)),
  );
  const body = sequence(
    unsignedInteger(1),
    fields.issuer.signatureAlgorithm,
    fields.issuer.name,
    time(fields.thisUpdate),
    time(fields.nextUpdate),
    // An empty revokedCertificates is forbidden: it is left out (5.1.2.6).
    ...(fields.entries.length === 0 ? [] : [revokedCertificates(fields.entries)]),
    explicit(0, extensions),
  );
  return new CrlBody(KEY, body);
}

/** reasonCode per entry; for `unspecified` it should be absent (5.3.1). */
const REASONS = new Map<RevocationReason, Buffer>(
  (Object.keys(REASON_CODES) as RevocationReason[]).map((reason) => [
    reason,
    reason === 'unspecified'
      ? Buffer.alloc(0)
      : sequence(sequence(objectIdentifier(OID.reasonCode), octetString(enumerated(REASON_CODES[reason])))),
  ]),
);

/** Measured first and written into one buffer: a million entries would otherwise be millions of small ones. */
function revokedCertificates(entries: readonly RevokedEntry[]): Buffer {
  const parts = entries.map((entry) => {
    const serial = unsignedContent(entry.serialNumber);
    const date = time(entry.revokedAt);
    const reason = REASONS.get(entry.reason) ?? Buffer.alloc(0);
    return { serial, date, reason, length: 2 + serial.length + date.length + reason.length };
  });
  const total = parts.reduce((sum, { length }) => sum + headerLength(length) + length, 0);
  const out = Buffer.allocUnsafe(headerLength(total) + total);
  let at = writeHeader(out, 0, TAG.sequence, total);
  for (const { serial, date, reason, length } of parts) {
    at = writeHeader(out, at, TAG.sequence, length);
    at = writeHeader(out, at, TAG.integer, serial.length);
    for (const part of [serial, date, reason]) {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}
