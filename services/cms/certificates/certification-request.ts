/** The parts of a certification request (RFC 2986 section 4) in the form that almost all have, each with its tag and length. */
export interface PlainRequest {
  /** What is signed. */
  readonly info: Uint8Array;
  readonly publicKeyInfo: Uint8Array;
  /** AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  /** Without the tag and the count of unused bits. */
  readonly signature: Uint8Array;
}

const [INTEGER, BIT_STRING, SEQUENCE, SET, OBJECT_IDENTIFIER, ATTRIBUTES] = [0x02, 0x03, 0x30, 0x31, 0x06, 0xa0];
/** UTF8String, PrintableString, TeletexString, IA5String, BMPString: what names are made of. */
const STRINGS = [0x0c, 0x13, 0x14, 0x16, 0x1e];

interface Value {
  readonly tag: number;
  readonly from: number;
  readonly content: number;
  readonly end: number;
}

/**
 * @returns null for whatever is not of the plainest form: version 0, names of single strings, a key, no attributes, and DER
 * throughout. A reader of all that is allowed says what it is then. Never throws, and takes the time of a few dozen bytes.
 */
export function readPlainRequest(der: Uint8Array): PlainRequest | null {
  const [outer, ...more] = values(der, 0, der.length);
  if (outer?.tag !== SEQUENCE || more.length > 0) return null;
  const [info, algorithm, signature, ...rest] = values(der, outer.content, outer.end);
  if (info?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE || signature?.tag !== BIT_STRING || rest.length > 0)
    return null;
  const [version, name, key, attributes, ...others] = values(der, info.content, info.end);
  const isZero = version?.tag === INTEGER && version.end - version.content === 1 && der[version.content] === 0;
  if (!isZero || name?.tag !== SEQUENCE || key?.tag !== SEQUENCE || others.length > 0) return null;
  if (attributes?.tag !== ATTRIBUTES || attributes.end !== attributes.content) return null;
  if (!isPlainName(der, name) || der[signature.content] !== 0 || signature.end - signature.content < 2) return null;
  const bytes = ({ from, end }: Pick<Value, 'from' | 'end'>) => der.subarray(from, end);
  return {
    info: bytes(info),
    publicKeyInfo: bytes(key),
    algorithm: bytes(algorithm),
    signature: der.subarray(signature.content + 1, signature.end),
  };
}

function isPlainName(der: Uint8Array, name: Value): boolean {
  const parts = values(der, name.content, name.end);
  if (parts.length === 0 && name.end !== name.content) return false;
  return parts.every((part) => {
    const [one, ...more] = part.tag === SET ? values(der, part.content, part.end) : [];
    if (one?.tag !== SEQUENCE || more.length > 0) return false;
    const [type, text, ...rest] = values(der, one.content, one.end);
    return type?.tag === OBJECT_IDENTIFIER && text !== undefined && STRINGS.includes(text.tag) && rest.length === 0;
  });
}

const MOST_VALUES = 50;

/** The values one after the other from `from` to `end`; none when they do not fill it, or are not DER (X.690 section 10.1). */
function values(der: Uint8Array, from: number, end: number): Value[] {
  const found: Value[] = [];
  for (let at = from; at < end; ) {
    const [tag = 0, first = 0] = [der[at], der[at + 1]];
    const digits = first < 0x80 ? 0 : first - 0x80;
    let length = digits === 0 ? first : 0;
    for (let digit = 0; digit < digits; digit += 1) length = length * 256 + (der[at + 2 + digit] ?? 0);
    const isShortest = digits === 0 ? first < 0x80 : digits <= 2 && length >= (digits === 1 ? 0x80 : 0x100);
    const content = at + 2 + digits;
    const value = { tag, from: at, content, end: content + length };
    if ((tag & 0x1f) === 0x1f || !isShortest || value.end > end || found.length === MOST_VALUES) return [];
    found.push(value);
    at = value.end;
  }
  return found;
}
