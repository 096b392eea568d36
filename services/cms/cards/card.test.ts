import { describe, expect, it } from 'vitest';
import type { Permission } from '../kernel/permission.ts';
import { allowedCardActions } from './card.ts';
import { CARD_SERIAL_RANDOM_BYTES, makeCardSerial } from './serial.ts';

const may = (...permissions: Permission[]) => new Set(permissions);
const PLAIN = {
  kind: 'tpm',
  reissue: 'none',
  keyStrategy: 'random-stored',
  hasPuk: false,
  pukShownAt: null,
  deviceId: 'a device',
  takeOverPending: false,
  keyChangeOpen: false,
} as const;
const reasons = (
  state: 'active' | 'blocked' | 'created' | 'retired',
  keyVersion: number | null,
  permissions: Set<Permission>,
) =>
  Object.fromEntries(
    allowedCardActions({ ...PLAIN, state, keyVersion }, permissions).map((one) => [one.action, one.disabledReason]),
  );

describe('what may be done with a card', () => {
  it('follows from its state and the permissions, with the reason where not', () => {
    const all = may('unblock:perform', 'cards:retire', 'keys:change', 'enrolments:create');
    const nothingAgainst = { unblock: null, 'change-administrator-key': null, reissue: null, retire: null };
    expect(reasons('blocked', 1, all)).toEqual(nothingAgainst);
    expect(reasons('active', 1, all)).toEqual(nothingAgainst);
    expect(reasons('created', 1, all)).toMatchObject({
      unblock: 'The card is not finished: its enrolment has to complete first.',
      reissue: 'The card is not finished: its enrolment has to complete first.',
      retire: null,
    });
    expect(reasons('retired', 1, all)).toEqual({
      unblock: 'The card is retired, and must be active or blocked for this.',
      'change-administrator-key': 'The card is retired, and must be active or blocked for this.',
      reissue: null,
      retire: 'The card is retired already.',
    });
    expect(reasons('active', null, all).unblock).toBe('No administrator key of this card is in the vault.');
    expect(reasons('active', 1, may())).toEqual({
      unblock: 'Your role lacks the permission unblock:perform.',
      'change-administrator-key': 'Your role lacks the permission keys:change.',
      reissue: 'Your role lacks the permission enrolments:create.',
      retire: 'Your role lacks the permission cards:retire.',
    });
  });

  it('is not an unblock by the administrator key where the card has a PUK, or its key was not stored', () => {
    const all = may('unblock:perform', 'puk:show');
    const of = (change: object) =>
      allowedCardActions({ ...PLAIN, state: 'blocked', keyVersion: 1, ...change }, all).map((one) => [
        one.action,
        one.disabledReason,
      ]);
    const withPuk = 'This card has a PUK, so its administrator key cannot reset the PIN. The PUK can.';
    expect(of({ hasPuk: true })).toContainEqual(['unblock', withPuk]);
    expect(of({ hasPuk: true })).toContainEqual(['show-puk', null]);
    expect(of({ hasPuk: true, pukShownAt: new Date(0) })).toContainEqual([
      'show-puk',
      'The PUK was shown already, and is shown once.',
    ]);
    expect(of({ keyStrategy: 'random-not-stored' })).toContainEqual([
      'unblock',
      'The key of this card was not stored, as its profile asks. Only a PUK or a reissue can help.',
    ]);
    expect(of({}).map(([action]) => action)).not.toContain('show-puk');
  });

  it('waits for the take-over of a card whose key others know, and for one change of its key at a time', () => {
    const all = may('unblock:perform', 'keys:change');
    const of = (change: object) =>
      Object.fromEntries(
        allowedCardActions({ ...PLAIN, state: 'active', keyVersion: 1, ...change }, all).map((one) => [
          one.action,
          one.disabledReason,
        ]),
      );
    const waiting = { state: 'created', takeOverPending: true };
    expect(of(waiting)).toMatchObject({
      unblock: 'This card is not taken over yet: its device has to change the administrator key first.',
      'change-administrator-key': null,
    });
    const underWay = 'A change of this card’s key is under way already.';
    expect(of({ ...waiting, keyChangeOpen: true })['change-administrator-key']).toBe(underWay);
    expect(of({ keyChangeOpen: true })).toMatchObject({ unblock: null, 'change-administrator-key': underWay });
    expect(of({ deviceId: null })['change-administrator-key']).toBe(
      'The agent of a device changes the key, and this card is on no device that is known.',
    );
    expect(of({ keyStrategy: 'random-not-stored' })['change-administrator-key']).toBe(
      'Nobody has the administrator key of this card, so it cannot be changed. Reissue the card.',
    );
  });

  it('is one reissue of a card that was made here', () => {
    const why = (change: object) =>
      allowedCardActions({ ...PLAIN, state: 'active', keyVersion: 1, ...change }, may('enrolments:create')).find(
        ({ action }) => action === 'reissue',
      )?.disabledReason;
    expect(why({ reissue: 'open' })).toMatch(/reissued already/);
    expect(why({ reissue: 'completed', state: 'retired' })).toBe('Another card has taken the place of this one.');
    expect(why({ kind: 'minidriver' })).toMatch(/not made here/);
  });

  it('says allowed exactly where there is no reason against it', () => {
    for (const action of allowedCardActions({ ...PLAIN, state: 'active', keyVersion: 1 }, may('cards:retire'))) {
      expect(action.allowed).toBe(action.disabledReason === null);
    }
  });
});

describe('a card serial', () => {
  it('is eight characters that are not read as others, in two groups', () => {
    expect(makeCardSerial(new Uint8Array(CARD_SERIAL_RANDOM_BYTES))).toBe('CW-0000-0000');
    expect(makeCardSerial(Uint8Array.from([31, 63, 95, 127, 30, 18, 19, 20]))).toBe('CW-ZZZZ-YJKM');
    expect(() => makeCardSerial(new Uint8Array(4))).toThrow();
  });
});
