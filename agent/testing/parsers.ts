import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { encodeLines, packResponse, TAG_BYTES } from '@cardwright/protocol/challenge';
import type { Bytes } from '@cardwright/protocol/tpm';
import { publicKeyInfo } from '../card/tpm/key-template.ts';
import { decodeStored } from '../card/tpm/stored.ts';
import { certificateFacts } from '../enrolment/certificate-check.ts';
import { decodeResponse as decodeApdu } from '../pcsc/apdu.ts';
import { parseReaders, READERS_STATE_BYTES } from '../pcsc/messages.ts';
import { dataObjects } from '../pcsc/tlv.ts';
import * as answers from '../server/answers.ts';
import { read, type Shape } from '../shape.ts';
import { parseDocument, serialise } from '../store/document.ts';
import { exampleDocument } from '../store/fixture.ts';
import { parseTcti } from '../tpm/index.ts';
import { challengeBytes, readResponse } from '../unblock/response.ts';
import type { FuzzedParser } from './fuzzed-parser.ts';
import { CERTIFICATE, STORED_KEYS } from './recorded.ts';
import { TPM_PARSERS } from './tpm-parsers.ts';

const utf8 = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'utf8'));
const textOf = (input: Bytes): string => Buffer.from(input).toString('utf8');

const text = (parse: (text: string) => unknown, ...samples: readonly string[]): FuzzedParser => ({
  parse: (input) => parse(textOf(input)),
  samples: samples.map(utf8),
});

/** As `server/exchange.http.ts` reads it: what is not JSON is undefined, and every shape refuses that. */
function answer<T>(shape: Shape<T>, sample: object): FuzzedParser {
  const refuse = (reason: string) => new DomainError('unavailable', 'server-answer-invalid', reason);
  const parse = (body: string): unknown => {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      value = undefined;
    }
    return read(shape, value, refuse);
  };
  return text(parse, JSON.stringify(sample));
}

const base64 = (count: number) => Buffer.alloc(count, 5).toString('base64');
const pinPolicy = exampleDocument('X').cards[0]?.pinPolicy;
const wrapped = { keyVersion: 1, name: base64(34), public: base64(90), duplicate: base64(90), inSymSeed: base64(70) };
const approval = { approvedPolicy: base64(32), signature: base64(32) };
const claim = {
  ...{ enrolmentId: 'e-1', cardId: 'c-1', cardSerial: 'CW-7K3M-92QF', deviceId: 'd-1', state: 'claimed' },
  person: { displayName: 'Mary Major', userPrincipalName: 'mary@example.com' },
  profile: { pinLimit: 5, pinPolicy, containers: [{ container: 'sign-in', keyType: 'ec-p256' }] },
};
const task = { taskId: 't-1', kind: 'message', cardId: null, cardSerial: null, cardKind: null, message: 'Hello.' };
const unblock = { sessionId: 's-1', confirmationCode: '1234', expiresAt: '2026-11-20T09:00:00Z', pollAfterSeconds: 2 };

const SERVER_PARSERS: Readonly<Record<string, FuzzedParser>> = {
  'server claim': answer(answers.claimAnswer, claim),
  'server administrator key': answer(answers.administratorKeyAnswer, wrapped),
  'server first write': answer(answers.firstWriteAnswer, { answer: base64(32), selfChange: approval }),
  'server certificate': answer(answers.certificateAnswer, {
    ...{ certificateId: 'c', certificate: base64(600), chain: [base64(500)] },
  }),
  'server check-in': answer(answers.checkInAnswer, {
    ...{ cards: [{ cardId: 'c-1', state: 'active' }], tasks: [task], nextCheckInSeconds: 3600 },
  }),
  'server key offer': answer(answers.keyOfferAnswer, {
    keyOffer: { kind: 'successor', ...wrapped, approval, rehearsal: approval },
  }),
  'server unblock request': answer(answers.unblockRequestAnswer, unblock),
  'server unblock state': answer(answers.unblockStateAnswer, { state: 'open', response: 'ABC\nDEF' }),
  'server problem': answer(answers.problemAnswer, {
    ...{ status: 422, code: 'pin-wrong', detail: 'It is.', errors: [{ pointer: '/pin', detail: 'No.' }] },
  }),
};

const nonces = { resetNonce: new Uint8Array(16), writeNonce: new Uint8Array(16) };
const challenge = challengeBytes('CW-7K3M-92QF', nonces);
const response = packResponse({
  cardTag: challenge.slice(1, 1 + TAG_BYTES),
  challengeTag: createHash('sha256').update(challenge).digest().subarray(0, TAG_BYTES),
  resetAnswer: new Uint8Array(32),
  writeAnswer: new Uint8Array(32),
});
const storedKeys = STORED_KEYS.map((key) => new Uint8Array(Buffer.from(key, 'base64')));

const DEVICE_PARSERS: Readonly<Record<string, FuzzedParser>> = {
  'stored key': { parse: (input) => decodeStored(input), samples: storedKeys },
  'public key of a stored key': {
    parse: (input) => publicKeyInfo(decodeStored(input).parsed),
    samples: storedKeys.slice(0, 3),
  },
  'store document': text(parseDocument, serialise(exampleDocument('CW-1', 'CW-2'))),
  'where the TPM is': text(parseTcti, 'swtpm:host=127.0.0.1,port=2321', 'swtpm:path=/run/x', 'device:/dev/tpmrm0'),
  'typed response': text((typed) => readResponse(typed, 'CW-7K3M-92QF', challenge), encodeLines(response).join('\n')),
  'card data objects': {
    parse: dataObjects,
    samples: [Uint8Array.of(0x7c, 0x04, 0x81, 0x02, 1, 2), Uint8Array.of(0x62, 0)],
  },
  'card answer': { parse: decodeApdu, samples: [Uint8Array.of(1, 2, 0x90, 0), Uint8Array.of(0x63, 0xc3)] },
  'readers of pcscd': { parse: parseReaders, samples: [new Uint8Array(READERS_STATE_BYTES)] },
};

const CERTIFICATE_PARSERS: Readonly<Record<string, FuzzedParser>> = {
  'issued certificate': { parse: certificateFacts, samples: [new Uint8Array(Buffer.from(CERTIFICATE, 'base64'))] },
};

/** Every parser of the agent of what a TPM, a card, a server, a person or a file may say: for tests and for the bench. */
export const AGENT_PARSERS: Readonly<Record<string, FuzzedParser>> = {
  ...TPM_PARSERS,
  ...SERVER_PARSERS,
  ...DEVICE_PARSERS,
  ...CERTIFICATE_PARSERS,
};
