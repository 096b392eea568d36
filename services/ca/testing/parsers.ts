import { generateKeyPairSync } from 'node:crypto';
import { utf8String } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { provenKey } from '../issuance/csr.ts';
import { attribute, extensionRequest, requestInfo, signedRequest } from './make-request.ts';

type Bytes = Uint8Array;

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const asking = {
  attributes: [
    extensionRequest(OID.subjectAltName, OID.keyUsage),
    attribute('1.2.840.113549.1.9.7', utf8String('a challenge password')),
  ],
};
const infos = [requestInfo(ec), requestInfo(ec, asking), requestInfo(rsa), requestInfo(rsa, { attributes: null })];

/** Each parser of what anybody may send for a certificate, for fuzz() in tests and in the bench. */
export const ISSUANCE_PARSERS: Readonly<
  Record<string, { readonly parse: (input: Bytes) => Promise<unknown>; readonly samples: readonly Bytes[] }>
> = {
  'certification request': {
    parse: (input) => provenKey(Buffer.from(input)),
    samples: [signedRequest(ec, infos[1] as Buffer), signedRequest(rsa, infos[2] as Buffer)],
  },
  // Damaged bytes have no good signature; these are damaged before they are signed.
  'what a certification request asks for': {
    parse: (input) => provenKey(signedRequest(ec, input)),
    samples: infos,
  },
};

/** All refusals of a request: others are defects. */
export const REFUSALS = ['csr-malformed', 'csr-key-not-allowed', 'csr-signature-invalid'];
