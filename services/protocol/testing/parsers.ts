import {
  CHALLENGE_BYTES,
  decodeLines,
  encodeLines,
  RESPONSE_BYTES,
  unpackChallenge,
  unpackResponse,
} from '../challenge/index.ts';
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
  PIN: {
    parse: (input) => checkPin(textOf(input), DEFAULT_PIN_POLICY),
    samples: [utf8('Gr\u00fc\u00dfe-42'), utf8('123456')],
  },
};
