import { DomainError, type Secret } from '@cardwright/protocol';
import { ANY_SHORT, malformed, type ResponseApdu, STATUS, send } from '../../pcsc/apdu.ts';
import type { ApduChannel } from '../../pcsc/port.ts';
import { dataObject, valueAt } from '../../pcsc/tlv.ts';
import { blockBytes, fits, keyCheckValue } from './key-check.ts';
import type { AdministeredCard, Bytes, KeyAlgorithm } from './port.ts';

/**
 * The administrator's part of Microsoft's Generic Identity Device Specification (GIDS), over any channel for APDUs.
 * Numbers of the sections are those of version 2.0.
 */
const AID = Uint8Array.of(0xa0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59);
const INS = { select: 0xa4, getData: 0xcb, putData: 0xdb, authenticate: 0x87, environment: 0x22 } as const;
const CARD_ID = { file: [0xa0, 0x12], tag: 0xdf20, bytes: 16 } as const;
const APPLICATION = [0x3f, 0xff] as const;
const ADMINISTRATOR_KEY = Uint8Array.of(0x80);
const EMPTY = new Uint8Array();

/** Dynamic authentication template (ISO/IEC 7816-4 section 11.5.5), and the template of a key (11.4 of GIDS). */
const TAG = { authentication: 0x7c, challenge: 0x81, response: 0x82 } as const;
const KEY_TAG = { put: 0x70, reference: 0x84, template: 0xa5, value: 0x87, check: 0x88, selected: 0x83 } as const;

/** The card id, or undefined if there is no GIDS application on the card, or no id in it. */
export async function readCardId(channel: ApduChannel): Promise<Bytes | undefined> {
  const selected = await send(channel, { ins: INS.select, p1: 0x04, p2: 0x00, data: AID, expected: ANY_SHORT });
  if (selected.status !== STATUS.done) return undefined;
  const data = dataObject(0x5c, Uint8Array.of(CARD_ID.tag >> 8, CARD_ID.tag & 0xff));
  const [p1, p2] = CARD_ID.file;
  const read = await send(channel, { ins: INS.getData, p1, p2, data, expected: ANY_SHORT });
  if (read.status !== STATUS.done) return undefined;
  const id = valueAt(read.data, CARD_ID.tag);
  return id?.length === CARD_ID.bytes ? id : undefined;
}

/** The GIDS application must be selected. */
export function gidsCard(channel: ApduChannel): AdministeredCard {
  return {
    async challenge(algorithm) {
      const data = dataObject(KEY_TAG.selected, ADMINISTRATOR_KEY);
      const chosen = await send(channel, { ins: INS.environment, p1: 0xc1, p2: 0xa4, data });
      if (chosen.status !== STATUS.done) throw refused('gives no challenge', chosen);
      const asked = await authenticate(channel, dataObject(TAG.challenge, EMPTY));
      if (asked.status !== STATUS.done) throw refused('gives no challenge', asked);
      const challenge = valueAt(asked.data, TAG.authentication, TAG.challenge);
      if (challenge === undefined) throw malformed('there is no challenge in it');
      if (challenge.length !== blockBytes(algorithm)) throw unfit(challenge.length, algorithm);
      return challenge;
    },

    async authenticate(answer) {
      const { status } = await authenticate(channel, dataObject(TAG.response, answer));
      if (status === STATUS.done) return;
      if (status === STATUS.authenticationBlocked) {
        const detail = 'The card takes no answer of its administrator any more: it was given too many wrong ones.';
        throw new DomainError('conflict', 'administrator-key-blocked', detail);
      }
      // 6982, or 63Cx of a card that counts.
      const left = status >> 4 === 0x63c ? status & 0x0f : undefined;
      if (left === undefined && status !== STATUS.securityStatusNotSatisfied) {
        throw refused('takes no answer', { status, data: EMPTY });
      }
      const detail = 'The card refused the answer: it was computed with another administrator key.';
      throw new DomainError('unprocessable', 'answer-refused-by-card', detail, {
        ...(left === undefined ? {} : { data: { triesLeft: left } }),
      });
    },

    async changeAdministratorKey(key, algorithm) {
      const data = key.use((bytes) => keyData(bytes, algorithm));
      const [p1, p2] = APPLICATION;
      try {
        const { status } = await send(channel, { ins: INS.putData, p1, p2, data });
        if (status === STATUS.done) return;
        const detail = `The card did not take the new administrator key (status ${hex(status)}).`;
        throw new DomainError('unprocessable', 'key-refused-by-card', detail);
      } finally {
        data.fill(0);
      }
    },
  };
}

function authenticate(channel: ApduChannel, data: Bytes): Promise<ResponseApdu> {
  const template = dataObject(TAG.authentication, data);
  return send(channel, { ins: INS.authenticate, p1: 0, p2: 0, data: template, expected: ANY_SHORT });
}

/** Reference, value and check value of the key, for PUT DATA. */
function keyData(key: Bytes, algorithm: KeyAlgorithm): Bytes {
  if (!fits(key, algorithm)) throw new RangeError(`no key for ${algorithm}`);
  const value = dataObject(KEY_TAG.value, key);
  const template = dataObject(KEY_TAG.template, value, dataObject(KEY_TAG.check, keyCheckValue(key, algorithm)));
  const whole = dataObject(KEY_TAG.put, dataObject(KEY_TAG.reference, ADMINISTRATOR_KEY), template);
  value.fill(0);
  template.fill(0);
  return whole;
}

function unfit(bytes: number, algorithm: KeyAlgorithm): DomainError {
  const detail =
    `The card gives challenges of ${bytes} bytes, and one for ${algorithm} has ${blockBytes(algorithm)}: ` +
    'its record names another algorithm than it has.';
  return new DomainError('unprocessable', 'card-challenge-unfit', detail);
}

function refused(what: string, { status }: ResponseApdu): DomainError {
  return new DomainError('unprocessable', 'card-refused', `The card ${what} (status ${hex(status)}).`);
}

const hex = (status: number) => status.toString(16).toUpperCase().padStart(4, '0');

/** A key as it is shown to operators and checked against what was unsealed: upper-case hexadecimal. */
export function checkValueOf(key: Secret, algorithm: KeyAlgorithm): string | undefined {
  return key.use((bytes) =>
    fits(bytes, algorithm) ? Buffer.from(keyCheckValue(bytes, algorithm)).toString('hex').toUpperCase() : undefined,
  );
}
