import { TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { type DerBounds, DerError, type DerValue, dottedOid, readDer, rfc5280Time } from '../asn1/reader.ts';

/** Of a root's CRL: it lists authorities, of which there are few. */
const ROOT_CRL_BOUNDS: DerBounds = { maxBytes: 65_536, maxDepth: 8, maxValues: 4000 };

export interface CertificateList {
  /** TBSCertList, DER: what is signed. */
  readonly body: Buffer;
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Buffer;
  readonly signature: Buffer;
  /** Name, DER. */
  readonly issuer: Buffer;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: bigint;
  /** Each whole, in DER. */
  readonly entries: readonly { readonly serialNumber: string; readonly raw: Buffer }[];
}

/**
 * A full CRL of version 2 with a number, as an offline root signs it (RFC 5280 5.1). Whether its signature is good is not
 * looked at.
 * @throws DerError
 */
export function readCertificateList(der: Uint8Array): CertificateList {
  const list = readDer(der, ROOT_CRL_BOUNDS);
  const [body, algorithm, signature, ...rest] = list.children;
  if (!body || !algorithm || signature?.tag !== TAG.bitString || rest.length > 0) throw wrong();
  const [version, inner, issuer, thisUpdate, nextUpdate, ...others] = body.children;
  if (!version || !inner?.raw.equals(algorithm.raw) || !issuer || !thisUpdate || !nextUpdate) throw wrong();
  const entries = others[0]?.tag === TAG.sequence ? others[0].children : [];
  const extensions = others.at(-1);
  if (extensions?.tag !== 0xa0 || others.length > 2) throw wrong();
  return {
    body: body.raw,
    algorithm: algorithm.raw,
    signature: signature.content.subarray(1),
    issuer: issuer.raw,
    thisUpdate: rfc5280Time(thisUpdate),
    nextUpdate: rfc5280Time(nextUpdate),
    number: numberOf(extensions),
    entries: entries.map(({ raw, children: [serial] }) => {
      if (serial?.tag !== TAG.integer) throw wrong();
      return { serialNumber: serial.content.toString('hex').replace(/^00(?=..)/, ''), raw };
    }),
  };
}

function numberOf({ children: [extensions] }: DerValue): bigint {
  for (const { children } of extensions?.children ?? []) {
    const [oid, value] = [children[0], children.at(-1)];
    if (oid === undefined || value?.tag !== TAG.octetString) throw wrong();
    if (dottedOid(oid) === OID.crlNumber) {
      const number = readDer(value.content, ROOT_CRL_BOUNDS);
      if (number.tag === TAG.integer) return BigInt(`0x${number.content.toString('hex')}`);
    }
  }
  throw wrong();
}

const wrong = () => new DerError('not a full CRL of version 2 with a number', 0);
