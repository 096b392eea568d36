import { explicit, objectIdentifier, octetString, sequence, tlv, unsignedInteger } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { parseOcspRequest } from '../ocsp/request.ts';
import { extension } from '../x509/extensions.ts';

type Bytes = Uint8Array;

const certId = (hash: string, bytes: number, serial: number) =>
  sequence(
    sequence(objectIdentifier(hash), tlv(0x05)),
    octetString(Buffer.alloc(bytes, 1)),
    octetString(Buffer.alloc(bytes, 2)),
    unsignedInteger(serial),
  );
const item = (hash: string, bytes: number, serial: number) => sequence(certId(hash, bytes, serial));
const nonce = explicit(2, sequence(extension(OID.ocspNonce, false, octetString(Buffer.alloc(32, 9)))));
const signature = explicit(0, sequence(sequence(objectIdentifier(OID.sha256WithRsa)), tlv(0x03, Buffer.of(0, 1))));

/** What anybody may send to the OCSP responder, for fuzz() in tests and in the bench. */
export const OCSP_PARSERS: Readonly<
  Record<string, { readonly parse: (input: Bytes) => unknown; readonly samples: readonly Bytes[] }>
> = {
  'OCSP request': {
    parse: parseOcspRequest,
    samples: [
      sequence(sequence(sequence(item(OID.sha1, 20, 5)))),
      sequence(sequence(sequence(item(OID.sha256, 32, 5), item(OID.sha1, 20, 6)), nonce)),
      sequence(
        sequence(
          explicit(0, unsignedInteger(0)),
          explicit(1, explicit(4, sequence())),
          sequence(item(OID.sha1, 20, 7)),
        ),
        signature,
      ),
    ],
  },
};
