import { randomBytes } from 'node:crypto';
import { decodeLines, encodeLines, packResponse, RESPONSE_BYTES, unpackResponse } from '@cardwright/protocol/challenge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolledCard, enrolmentCode, registerPerson } from '../support/people.ts';
import { rest } from '../support/rest.ts';
import { refusalOf } from '../support/run.ts';
import { sealKey } from '../support/seal-key.ts';
import { recordsOf } from '../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/** What must be refused: each with a code of its own, and with nothing changed. */
describe('refusals', () => {
  const pin = '618294';
  let system: TestSystem;
  let device: Device;
  let other: Device;
  let card: { cardId: string; serial: string };
  let otherCard: { cardId: string; serial: string };

  beforeAll(async () => {
    system = await startTestSystem();
    [device, other] = await Promise.all([newDevice(), newDevice()]);
    card = await enrolledCard(system, device, pin, 'Ada Lovelace');
    otherCard = await enrolledCard(system, other, pin, 'Grace Hopper');
  }, 120_000);
  afterAll(async () => {
    await device?.remove();
    await other?.remove();
    await system?.remove();
  });

  const openSession = async (cardId: string) => {
    const session = await system.as('helpdesk').post(`/cards/${cardId}/unblock-sessions`, {
      verification: { method: 'call-back', evidence: 'number on record' },
      reason: 'forgot the PIN',
    });
    expect(session.status).toBe(201);
    return session.body.id as string;
  };
  const answer = (session: string, challenge: string) =>
    system.as('helpdesk').post(`/unblock-sessions/${session}/responses`, { challenge });
  const refusesWithoutChange = async (act: () => Promise<{ status: number; body: { code: string } }>) => {
    const before = await recordsOf(system);
    const { status, body } = await act();
    expect(await recordsOf(system)).toEqual(before);
    return [status, body.code];
  };

  describe('of a response, by the card', () => {
    it('one that was used before is refused for the next challenge, and by the TPM itself when dressed up', async () => {
      const first = await device.startUnblock(pin);
      const used = (await answer(await openSession(card.cardId), first.challenge)).body.response;
      expect(await first.finish(used)).toMatchObject({ exitCode: 0 });

      const again = await device.startUnblock('837465');
      expect(refusalOf(await again.finish(used))).toBe('response-for-another-challenge');

      const disguised = await device.startUnblock('837465');
      const tags = await answeredTags(disguised.challenge);
      const dressed = encodeLines(packResponse({ ...unpacked(used), ...tags })).join('\n');
      expect(refusalOf(await disguised.finish(dressed))).toBe('response-refused-by-card');
      await stillHasItsPin();
    });

    it('one for another card is refused, and by the TPM itself when dressed up', async () => {
      const mine = await device.startUnblock('837465');
      const theirs = await other.startUnblock(pin);
      const response = (await answer(await openSession(otherCard.cardId), theirs.challenge)).body.response;
      expect(refusalOf(await mine.finish(response))).toBe('response-for-another-card');
      expect(await theirs.finish(response)).toMatchObject({ exitCode: 0 });

      const disguised = await device.startUnblock('837465');
      const tags = await answeredTags(disguised.challenge);
      const dressed = encodeLines(packResponse({ ...unpacked(response), ...tags })).join('\n');
      expect(refusalOf(await disguised.finish(dressed))).toBe('response-refused-by-card');
      await stillHasItsPin();
    });

    it('a forged one is refused by the TPM', async () => {
      const unblock = await device.startUnblock('837465');
      const tags = await answeredTags(unblock.challenge);
      const forged = packResponse({ ...tags, resetAnswer: random(32), writeAnswer: random(32) });
      expect(refusalOf(await unblock.finish(encodeLines(forged).join('\n')))).toBe('response-refused-by-card');
      await stillHasItsPin();
    });

    it('a mistyped one is refused at its line, before the card is asked', async () => {
      const unblock = await device.startUnblock('837465');
      const { response } = (await answer(await openSession(card.cardId), unblock.challenge)).body;
      const lines = response.split('\n');
      lines[2] = lines[2].startsWith('7') ? `8${lines[2].slice(1)}` : `7${lines[2].slice(1)}`;
      const refused = await unblock.finish(lines.join('\n'));
      expect(refusalOf(refused)).toBe('response-mistyped');
      expect(refused.stderr.toLowerCase()).toContain('line 3');
      await stillHasItsPin();
    });
  });

  describe('of a challenge, by the server', () => {
    it('a second one in the same session', async () => {
      const session = await openSession(card.cardId);
      const first = await device.startUnblock(pin);
      expect((await answer(session, first.challenge)).status).toBe(201);
      await first.finish('');
      const second = await device.startUnblock(pin);
      expect(await refusesWithoutChange(() => answer(session, second.challenge))).toEqual([
        409,
        'unblock-session-already-answered',
      ]);
      await second.finish('');
    });

    it('the same one in another session', async () => {
      const unblock = await device.startUnblock(pin);
      expect((await answer(await openSession(card.cardId), unblock.challenge)).status).toBe(201);
      const session = await openSession(card.cardId);
      expect(await refusesWithoutChange(() => answer(session, unblock.challenge))).toEqual([
        409,
        'challenge-already-answered',
      ]);
      await unblock.finish('');
    });

    it('one of another card', async () => {
      const theirs = await other.startUnblock(pin);
      const session = await openSession(card.cardId);
      expect(await refusesWithoutChange(() => answer(session, theirs.challenge))).toEqual([
        422,
        'challenge-for-another-card',
      ]);
      await theirs.finish('');
    });

    it('one with a slip in its second line, which is named', async () => {
      const unblock = await device.startUnblock(pin);
      await unblock.finish('');
      const lines = unblock.challenge.split('\n');
      lines[1] = `${lines[1]?.startsWith('7') ? '8' : '7'}${lines[1]?.slice(1)}`;
      const refused = await answer(await openSession(card.cardId), lines.join('\n'));
      expect([refused.status, refused.body.code]).toEqual([422, 'challenge-malformed']);
      expect(JSON.stringify(refused.body).toLowerCase()).toContain('line 2');
    });

    it('one that comes when the session has expired', async () => {
      const session = await openSession(card.cardId);
      await system.query("update unblock_sessions set expires_at = now() - interval '1 second' where id = $1", [
        session,
      ]);
      const unblock = await device.startUnblock(pin);
      expect(await refusesWithoutChange(() => answer(session, unblock.challenge))).toEqual([
        409,
        'unblock-session-expired',
      ]);
      await unblock.finish('');
    });
  });

  describe('of an enrolment code', () => {
    const enrol = (code: string) =>
      device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], { input: `${pin}\n` });
    const claim = (code: string) =>
      rest(system.url).post('/agent/enrolments/claims', {
        code,
        deviceToken: randomBytes(32).toString('base64url'),
        device: { hostName: 'elsewhere', platform: 'linux', storageKeyName: `000b${'00'.repeat(32)}`, tpm: null },
      });

    it('one that another device has used', async () => {
      const { id } = await registerPerson(system, 'Mary Jackson');
      const code = await enrolmentCode(system, id);
      expect(await enrol(code)).toMatchObject({ exitCode: 0 });
      expect(await refusesWithoutChange(() => claim(code))).toEqual([409, 'enrolment-code-used']);
    });

    it('one that has expired, at the agent and at the API', async () => {
      const { id } = await registerPerson(system, 'Katherine Johnson');
      const code = await enrolmentCode(system, id);
      await system.query("update enrolments set expires_at = now() - interval '1 second' where person_id = $1", [id]);
      expect(await refusesWithoutChange(() => claim(code))).toEqual([409, 'enrolment-code-expired']);
      const refused = await enrol(code);
      expect(refusalOf(refused)).toBe('enrolment-code-expired');
    });

    it('one that was cancelled, and one that never was', async () => {
      const { id } = await registerPerson(system, 'Dorothy Vaughan');
      const made = await system.as('helpdesk').post('/enrolments', { personId: id });
      const path = `/enrolments/${made.body.enrolment.id}/cancellations`;
      expect((await system.as('helpdesk').post(path, { reason: 'the person is on leave' })).status).toBeLessThan(300);
      expect(await refusesWithoutChange(() => claim(made.body.code))).toEqual([409, 'enrolment-cancelled']);
      expect(await refusesWithoutChange(() => claim('ZZZZ-ZZZZ-ZZZZ'))).toEqual([422, 'enrolment-code-unknown']);
    });
  });

  describe('of an administrator key that is brought along', () => {
    const register = async (hex: string, algorithm = 'tdes') => {
      const { id } = await registerPerson(system, 'Annie Easley');
      const serial = `OLD-${randomBytes(4).toString('hex').toUpperCase()}`;
      const administratorKey = await sealKey(system, serial, hex);
      const body = { personId: id, serial, algorithm, administratorKey };
      return () => system.as('security-officer').post('/cards', body);
    };
    const vendorsPage = '10203040506070801020304050607080102030405060708';

    it('the 47 digits of the vendor’s page, with the hint that its first 0 is missing', async () => {
      const act = await register(vendorsPage);
      expect(await refusesWithoutChange(act)).toEqual([422, 'administrator-key-odd-length']);
      const { detail } = (await act()).body;
      expect(detail).toContain('47');
      expect(detail).toContain('48');
      expect(detail).toMatch(/leading 0|first 0/i);
    });

    it.each([
      ['0'.repeat(46), 'administrator-key-length'],
      [`${'a1'.repeat(23)}zz`, 'administrator-key-not-hex'],
      ['010203040506070801020304050607080102030405060708', 'administrator-key-default'],
    ])('%s: %s', async (hex, code) => {
      expect(await refusesWithoutChange(await register(hex))).toEqual([422, code]);
    });

    it('one in clear', async () => {
      const { id } = await registerPerson(system, 'Evelyn Boyd');
      const clear = { personId: id, serial: 'OLD-CLEAR', algorithm: 'tdes', administratorKey: 'a1'.repeat(24) };
      const act = () => system.as('security-officer').post('/cards', clear);
      expect(await refusesWithoutChange(act)).toEqual([422, 'administrator-key-not-sealed']);
      expect(JSON.stringify((await act()).body)).not.toContain('a1a1a1');
    });
  });

  const random = (length: number) => new Uint8Array(randomBytes(length));

  function unpacked(text: string) {
    const decoded = decodeLines(text, RESPONSE_BYTES);
    if (!decoded.ok) throw new Error(decoded.detail);
    return unpackResponse(decoded.bytes) as NonNullable<ReturnType<typeof unpackResponse>>;
  }

  /** The tags of a right response to this challenge: what an attacker may know, since they are no secret. */
  async function answeredTags(challenge: string) {
    const response = (await answer(await openSession(card.cardId), challenge)).body.response;
    const { cardTag, challengeTag } = unpacked(response);
    return { cardTag, challengeTag };
  }

  async function stillHasItsPin(): Promise<void> {
    const args = ['sign', '--in', '/proc/version', '--out', `${device.directory}/signature`, '--pin-stdin'];
    const mine = JSON.parse((await device.agent(['list', '--json'])).stdout).cards;
    const withCard = [...args, ...(mine.length > 1 ? ['--card', card.serial] : [])];
    expect(await device.agent(withCard, { input: `${pin}\n` })).toMatchObject({ exitCode: 0 });
  }
});
