import {
  CHALLENGE_BYTES,
  decodeLines,
  encodeLines,
  RESPONSE_BYTES,
  unpackChallenge,
  unpackResponse,
} from '../challenge/index.ts';
import { parseDetachedJws } from '../enrolment/detached-jws.ts';
import { parseHandOverCode } from '../enrolment/hand-over-code.ts';
import { parseSignedData } from '../enrolment/signed-data.ts';
import { checkPin, DEFAULT_PIN_POLICY } from '../pin/index.ts';
import { administratorKeyPublic } from '../tpm/administrator-key.ts';
import { pinIndex } from '../tpm/card.ts';
import { parseNvPublic } from '../tpm/names.ts';
import { parsePublic, parsePublicArea } from '../tpm/public-area.ts';
import { parseStoragePublic } from '../tpm/storage-parent.ts';
import { sized } from '../tpm/wire.ts';

type Bytes = Uint8Array;

const administratorKey = administratorKeyPublic({
  key: new Uint8Array(32).fill(1),
  seedValue: new Uint8Array(32).fill(2),
});
const { nvPublic } = pinIndex({ nvIndex: 0x01800000, administratorKeyName: administratorKey.name });
const textOf = (input: Bytes): string => Buffer.from(input).toString('utf8');
const utf8 = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'utf8'));
const lines = (count: number): Bytes => utf8(encodeLines(new Uint8Array(count).fill(1)).join('\n'));

/** One signature that `openssl cms -sign -nocerts` made; by a key that nobody kept. */
const signedData: Bytes = new Uint8Array(
  Buffer.from(
    'MIIBrAYJKoZIhvcNAQcCoIIBnTCCAZkCAQExDTALBglghkgBZQMEAgEwCwYJKoZIhvcNAQcBMYIBdjCCAXICAQEwJDAMMQow' +
      'CAYDVQQDDAF4AhRw1AYIUckYevnhwCpd64aEQXrlJzALBglghkgBZQMEAgGggeQwGAYJKoZIhvcNAQkDMQsGCSqGSIb3DQEH' +
      'ATAcBgkqhkiG9w0BCQUxDxcNMjYxMTIxMDQ0NzQ1WjAvBgkqhkiG9w0BCQQxIgQgLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTb' +
      'AiWHF5IaSIEweQYJKoZIhvcNAQkPMWwwajALBglghkgBZQMEASowCwYJYIZIAWUDBAEWMAsGCWCGSAFlAwQBAjAKBggqhkiG' +
      '9w0DBzAOBggqhkiG9w0DAgICAIAwDQYIKoZIhvcNAwICAUAwBwYFKw4DAgcwDQYIKoZIhvcNAwICASgwCgYIKoZIzj0EAwIE' +
      'RzBFAiEA5P5pEn9WVi6a/43EoEjqyPLdaZZN+t0hstrGZQ5v5o8CIGQa+urT5NEEqwChev10J5VF8oGcH98MeEeMukZqVktm',
    'base64',
  ),
);
const protectedHeader = Buffer.from(JSON.stringify({ alg: 'ES256', 'x5t#S256': 'A'.repeat(43) })).toString('base64url');

/** Each parser of what devices and people send in the card protocols: for fuzz() in tests and in the bench. */
export const PROTOCOL_PARSERS: Readonly<
  Record<string, { readonly parse: (input: Bytes) => unknown; readonly samples: readonly Bytes[] }>
> = {
  TPMS_NV_PUBLIC: { parse: (input) => parseNvPublic(input), samples: [nvPublic] },
  'TPM2B_PUBLIC of an administrator key': {
    parse: (input) => parsePublic(input),
    samples: [sized(administratorKey.publicArea)],
  },
  TPMT_PUBLIC: { parse: (input) => parsePublicArea(input), samples: [administratorKey.publicArea] },
  'storage parent': { parse: parseStoragePublic, samples: [sized(administratorKey.publicArea)] },
  'lines of a challenge': {
    parse: (input) => decodeLines(textOf(input), CHALLENGE_BYTES),
    samples: [lines(CHALLENGE_BYTES)],
  },
  'lines of a response': {
    parse: (input) => decodeLines(textOf(input), RESPONSE_BYTES),
    samples: [lines(RESPONSE_BYTES)],
  },
  'challenge message': { parse: unpackChallenge, samples: [new Uint8Array(CHALLENGE_BYTES).fill(1)] },
  'response message': { parse: unpackResponse, samples: [new Uint8Array(RESPONSE_BYTES).fill(1)] },
  'detached JWS': {
    parse: (input) => parseDetachedJws(textOf(input)),
    samples: [utf8(`${protectedHeader}..${'A'.repeat(86)}`), utf8(`${protectedHeader}.Zm9v.${'A'.repeat(86)}`)],
  },
  'CMS SignedData': { parse: parseSignedData, samples: [signedData] },
  'hand-over code': { parse: (input) => parseHandOverCode(textOf(input)), samples: [utf8('7K3M-92QF-XD4T-0B8N')] },
  PIN: {
    parse: (input) => checkPin(textOf(input), DEFAULT_PIN_POLICY),
    samples: [utf8('Gr\u00fc\u00dfe-42'), utf8('123456')],
  },
};
