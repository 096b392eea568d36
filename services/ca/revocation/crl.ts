import {
  ascii,
  type Bytes,
  bitString,
  explicit,
  headerLength,
  implicit,
  sequence,
  TAG,
  time,
  unsignedInteger,
  writeHeader,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { authorityKeyIdentifier, extension } from '../x509/extensions.ts';

export interface CrlFields {
  readonly issuer: { readonly name: Bytes; readonly keyIdentifier: Bytes; readonly signatureAlgorithm: Bytes };
  /** Greater than that of every CRL of this scope before (RFC 5280 5.2.3). */
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Where this CRL is published, when it lists one part of its issuer's certificates; they name the same URL. */
  readonly distributionPoint: string | null;
  readonly kind:
    | { readonly full: true /** Where its deltas are found. */; readonly freshest: string | null }
    | { readonly full: false; readonly baseNumber: bigint };
  /** What will be written, in all. */
  readonly entryCount: number;
  readonly entryBytes: number;
}

const KEY = Symbol('crl');
/** For the outermost header: at most 6 bytes. */
const HEAD_ROOM = 6;
/** For the algorithm and the signature. */
const TAIL_ROOM = 1100;

/** The body of a CRL, to be signed once. Only a {@link CrlWriter} makes one, so that a signer of CRLs signs nothing else. */
export class CrlBody {
  #whole: Buffer | undefined;
  readonly #end: number;
  readonly #algorithm: Bytes;

  /** @param whole the body from HEAD_ROOM to `end`, with room around it for what makes it a CertificateList */
  constructor(key: symbol, whole: Buffer, end: number, algorithm: Bytes) {
    if (key !== KEY) throw new TypeError('only a CrlWriter makes one of these');
    this.#whole = whole;
    this.#end = end;
    this.#algorithm = algorithm;
  }

  /** @returns CertificateList, DER: in place, for a copy of a long one would double the memory. */
  async sign(sign: (body: Buffer) => Promise<Bytes>): Promise<Buffer> {
    const whole = this.#whole;
    this.#whole = undefined;
    if (whole === undefined) throw new Error('a CRL body is signed once');
    const signature = await sign(whole.subarray(HEAD_ROOM, this.#end));
    const tail = Buffer.concat([this.#algorithm, bitString(signature)]);
    if (this.#end + tail.length > whole.length) throw new RangeError('a signature is under 1 KiB');
    tail.copy(whole, this.#end);
    const length = this.#end - HEAD_ROOM + tail.length;
    const first = HEAD_ROOM - headerLength(length);
    writeHeader(whole, first, TAG.sequence, length);
    return whole.subarray(first, this.#end + tail.length);
  }
}

/** Writes a TBSCertList, version 2 (RFC 5280 5.1, 5.2), into one buffer of the right size; entries come in batches. */
export class CrlWriter {
  readonly #whole: Buffer;
  readonly #extensions: Buffer;
  readonly #algorithm: Bytes;
  readonly #entriesEnd: number;
  #count: number;
  #at: number;

  constructor(fields: CrlFields) {
    const { entryCount, entryBytes } = fields;
    const intro = Buffer.concat([
      unsignedInteger(1),
      fields.issuer.signatureAlgorithm,
      fields.issuer.name,
      time(fields.thisUpdate),
      time(fields.nextUpdate),
    ]);
    this.#extensions = explicit(0, sequence(...crlExtensions(fields)));
    // An empty revokedCertificates is forbidden: it is left out (5.1.2.6).
    const list = entryCount === 0 ? 0 : headerLength(entryBytes) + entryBytes;
    const length = intro.length + list + this.#extensions.length;
    this.#whole = Buffer.allocUnsafe(HEAD_ROOM + headerLength(length) + length + TAIL_ROOM);
    let at = writeHeader(this.#whole, HEAD_ROOM, TAG.sequence, length);
    at += intro.copy(this.#whole, at);
    if (entryCount > 0) at = writeHeader(this.#whole, at, TAG.sequence, entryBytes);
    this.#at = at;
    this.#entriesEnd = at + entryBytes;
    this.#count = entryCount;
    this.#algorithm = fields.issuer.signatureAlgorithm;
  }

  /** @param entries whole entries, one after the other. @throws RangeError when they are not */
  write(entries: Buffer): void {
    this.#count -= countEntries(entries);
    if (this.#at + entries.length > this.#entriesEnd) throw new RangeError('more entries than there should be');
    this.#at += entries.copy(this.#whole, this.#at);
  }

  /** @throws RangeError when entries are missing. */
  end(): CrlBody {
    if (this.#at !== this.#entriesEnd || this.#count !== 0) throw new RangeError('not the entries there should be');
    const end = this.#at + this.#extensions.copy(this.#whole, this.#at);
    return new CrlBody(KEY, this.#whole, end, this.#algorithm);
  }
}

function crlExtensions(fields: CrlFields): Buffer[] {
  const { number, kind, distributionPoint } = fields;
  if (number < 1n || number >= 1n << 159n) throw new RangeError('a CRL number is 1 to under 2^159');
  if (fields.nextUpdate <= fields.thisUpdate) throw new RangeError('nextUpdate comes after thisUpdate');
  const extensions = [
    authorityKeyIdentifier(fields.issuer.keyIdentifier),
    extension(OID.crlNumber, false, unsignedInteger(number)),
  ];
  // 5.2.5: critical, so that nobody takes a part for the whole. distributionPoint [0] { fullName [0] { URI [6] } }.
  if (distributionPoint !== null) {
    const value = sequence(explicit(0, explicit(0, implicit(6, ascii(distributionPoint)))));
    extensions.push(extension(OID.issuingDistributionPoint, true, value));
  }
  if (!kind.full) {
    if (kind.baseNumber >= number) throw new RangeError('a delta comes after its base');
    // 5.2.4: critical, so that nobody takes a delta for a full CRL.
    extensions.push(extension(OID.deltaCrlIndicator, true, unsignedInteger(kind.baseNumber)));
  } else if (kind.freshest !== null) {
    const point = sequence(explicit(0, explicit(0, implicit(6, ascii(kind.freshest)))));
    extensions.push(extension(OID.freshestCrl, false, sequence(point)));
  }
  return extensions;
}

/** What was stored as entries must still be: SEQUENCEs of at most 255 bytes, one after the other, to the last byte. */
function countEntries(entries: Buffer): number {
  let count = 0;
  let at = 0;
  while (at < entries.length) {
    const first = entries[at + 1] ?? 0;
    const long = first === 0x81;
    if (entries[at] !== TAG.sequence || (first >= 0x80 && !long)) throw new RangeError('no entry of a CRL');
    at += long ? 3 + (entries[at + 2] ?? 0) : 2 + first;
    count += 1;
  }
  if (at !== entries.length) throw new RangeError('an entry of a CRL that is cut off');
  return count;
}
