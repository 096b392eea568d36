import { randomBytes } from 'node:crypto';
import { decodeLines, RESPONSE_BYTES, unpackResponse } from '@cardwright/protocol/challenge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { sealed } from '../vault/sealing.ts';
import { policySigned } from '../vault/soft-parent.ts';
import { type Begun, expectStatus, newCode, type RawDevice, rawDevice, refusal, tpmChallenge } from './raw-device.ts';

let system: TestSystem;
let device: RawDevice;
let card: Begun;
beforeAll(async () => {
  // One card is unblocked here more often than the vault lets anybody in an hour.
  system = await startTestSystem({ environment: { vault: { VAULT_LIMIT_PER_CARD: '1000' } } });
  device = rawDevice(system);
  card = await device.enrol((await newCode(system)).code);
}, 120_000);
afterAll(async () => {
  await system?.remove();
});

const verification = { method: 'call-back', evidence: 'Number on record' };
const verified = { verification, reason: 'Forgot the PIN', ticket: 'INC-1' };
const helpdesk = () => system.as('helpdesk');

async function open(cardId: string): Promise<string> {
  return expectStatus(201, await helpdesk().post(`/cards/${cardId}/unblock-sessions`, verified)).body.id;
}
const answer = (sessionId: string, challenge: string) =>
  helpdesk().post(`/unblock-sessions/${sessionId}/responses`, { challenge });
const session = async (id: string) => (await helpdesk().get(`/unblock-sessions/${id}`)).body;

/** A card of another make whose key is all zeros: the sample that Microsoft published (MIM REST). */
async function minidriverCard(algorithm = 'tdes', key = '0'.repeat(48)): Promise<string> {
  const person = await registerPerson(system, 'Alan Turing');
  const { jwk } = expectStatus(200, await system.as('security-officer').get('/vault/import-key')).body;
  const serial = `MD-${randomBytes(4).toString('hex').toUpperCase()}`;
  const administratorKey = await sealed(jwk, key, serial);
  const body = { personId: person.id, serial, algorithm, administratorKey };
  return expectStatus(201, await system.as('security-officer').post('/cards', body)).body.id;
}

describe('a TPM card', () => {
  it('gets the response that its TPM will accept, made with its own key and for its own challenge', async () => {
    const id = await open(card.cardId);
    expect((await session(id)).challengeFormat).toEqual({ kind: 'base32', bytes: 35 });
    const challenge = tpmChallenge(card.cardSerial);
    const given = expectStatus(201, await answer(id, challenge.text.toLowerCase().replaceAll(' ', '')));
    expect(given.headers.get('cache-control')).toBe('no-store');
    expect(given.body.response).toBe(given.body.lines.join('\n'));
    const decoded = decodeLines(given.body.response, RESPONSE_BYTES);
    const response = decoded.ok ? unpackResponse(decoded.bytes) : undefined;
    const expected = policySigned(card.administratorKey, challenge.resetNonce, Buffer.alloc(0), 'card:reset');
    expect(Buffer.from(response?.resetAnswer ?? []).toString('hex')).toBe(expected);
    const events = await system.as('auditor').get(`/audit/events?cardId=${card.cardId}&action=unblock.answered`);
    expect(events.body.items[0]).toMatchObject({
      outcome: 'done',
      actor: { name: 'helpdesk' },
      reason: 'Forgot the PIN',
      ticket: 'INC-1',
      verification,
      cardId: card.cardId,
      unblockSessionId: id,
    });
    expect(JSON.stringify(await system.query('SELECT * FROM unblock_sessions'))).not.toContain(given.body.lines[1]);
  });

  it("is refused another card's challenge, a mistyped line by its number, and a text of another length", async () => {
    const id = await open(card.cardId);
    expect(refusal(await answer(id, tpmChallenge('CW-0000-0000').text))).toBe('422 challenge-for-another-card');
    const lines = tpmChallenge(card.cardSerial).text.split('\n');
    const second = lines[1] ?? '';
    const swapped = second.startsWith('0') ? `1${second.slice(1)}` : `0${second.slice(1)}`;
    const mistyped = await answer(id, [lines[0], swapped, ...lines.slice(2)].join('\n'));
    expect(refusal(mistyped)).toBe('422 challenge-malformed');
    expect(mistyped.body.data).toEqual({ line: 2 });
    expect(mistyped.body.errors[0]).toMatchObject({ pointer: '/challenge' });
    expect(refusal(await answer(id, '1234'))).toBe('422 challenge-malformed');
    expect((await session(id)).state).toBe('open');
    expectStatus(201, await answer(id, tpmChallenge(card.cardSerial).text));
  });

  it('gets one response a session and one a challenge', async () => {
    const { text } = tpmChallenge(card.cardSerial);
    const id = await open(card.cardId);
    expectStatus(201, await answer(id, text));
    expect(refusal(await answer(id, text))).toBe('409 unblock-session-already-answered');
    const fresh = tpmChallenge(card.cardSerial).text;
    expect(refusal(await answer(id, fresh))).toBe('409 unblock-session-already-answered');
    const next = await open(card.cardId);
    expect(refusal(await answer(next, text))).toBe('409 challenge-already-answered');
    expect((await session(next)).state).toBe('open');
  });

  it('gets one response however many ask at once, with the same challenge or with others', async () => {
    for (const challengeOf of [() => '', () => tpmChallenge(card.cardSerial).text]) {
      const shared = tpmChallenge(card.cardSerial).text;
      const id = await open(card.cardId);
      const answers = await Promise.all(Array.from({ length: 8 }, () => answer(id, challengeOf() || shared)));
      expect(answers.filter((one) => one.status === 201)).toHaveLength(1);
      const others = answers.filter((one) => one.status !== 201).map(refusal);
      for (const code of others) expect(code).toMatch(/^409 (unblock-session|challenge)-already-answered$/);
      const done = await system.query(
        `SELECT 1 FROM audit_events WHERE unblock_session_id = $1 AND action = 'unblock.answered' AND outcome = 'done'`,
        [id],
      );
      expect(done).toHaveLength(1);
    }
  });

  it('is refused in an expired or refused session, and for an operator who did not verify the caller', async () => {
    const { text } = tpmChallenge(card.cardSerial);
    const late = await open(card.cardId);
    await system.query(`UPDATE unblock_sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, [late]);
    expect(refusal(await answer(late, text))).toBe('409 unblock-session-expired');
    expect((await session(late)).state).toBe('expired');
    const closed = await open(card.cardId);
    expectStatus(201, await helpdesk().post(`/unblock-sessions/${closed}/refusals`, { reason: 'Not the holder' }));
    expect(refusal(await answer(closed, text))).toBe('409 unblock-session-closed');
    const mine = await open(card.cardId);
    const other = await system.as('integration').post(`/unblock-sessions/${mine}/responses`, { challenge: text });
    expect(refusal(other)).toBe('403 unblock-session-of-another-operator');
    const officer = await system
      .as('security-officer')
      .post(`/unblock-sessions/${mine}/responses`, { challenge: text });
    expect(refusal(officer)).toBe('403 permission-missing');
    expectStatus(201, await answer(mine, text));
  });

  it('gets its response with the same challenge after the vault was away, and nothing was counted as answered', async () => {
    const { text } = tpmChallenge(card.cardSerial);
    const id = await open(card.cardId);
    await system.processes.vault.kill();
    expect(refusal(await answer(id, text))).toBe('503 vault-unavailable');
    expect((await session(id)).state).toBe('open');
    await system.processes.vault.start();
    const next = await open(card.cardId);
    expectStatus(201, await answer(next, text));
    expect(refusal(await answer(id, text))).toBe('409 challenge-already-answered');
    expectStatus(201, await answer(id, tpmChallenge(card.cardSerial).text));
  });

  it('closes its session with what came of it', async () => {
    await device.api.post('/agent/check-ins', { cards: [{ cardId: card.cardId, triesLeft: 0, blocked: true }] });
    expect((await helpdesk().get(`/cards/${card.cardId}`)).body).toMatchObject({ state: 'blocked', triesLeft: 0 });
    const id = await open(card.cardId);
    const report = (outcome: string) => helpdesk().post(`/unblock-sessions/${id}/outcome`, { outcome });
    expect(refusal(await report('worked'))).toBe('409 unblock-session-not-answered');
    expectStatus(201, await answer(id, tpmChallenge(card.cardSerial).text));
    expect((await report('worked')).body.state).toBe('worked');
    expect((await report('worked')).body.state).toBe('worked');
    expect(refusal(await report('failed'))).toBe('409 unblock-session-closed');
    expect((await helpdesk().get(`/cards/${card.cardId}`)).body).toMatchObject({ state: 'active', triesLeft: 5 });
  });
});

describe('a minidriver card', () => {
  it("gets Microsoft's published response, in any spacing and case", async () => {
    const id = await open(await minidriverCard());
    expect((await session(id)).challengeFormat).toEqual({ kind: 'hex', bytes: 8 });
    const given = expectStatus(201, await answer(id, 'd611 43f9-CCFF d2ca'));
    expect(given.body.lines).toEqual(['1746 6E76 6E30 3CB6']);
  });

  it('is told how long a challenge has to be', async () => {
    const id = await open(await minidriverCard());
    const short = await answer(id, 'D61143F9CCFFD2');
    expect(refusal(short)).toBe('422 challenge-malformed');
    expect(short.body.detail).toContain('16');
    expect(short.body.detail).toContain('14 were given');
    expect(refusal(await answer(id, 'D61143F9CCFFD2CX'))).toBe('422 challenge-malformed');
    const aes = await open(await minidriverCard('aes-128', '000102030405060708090a0b0c0d0e0f'));
    expect(refusal(await answer(aes, '0011223344556677'))).toBe('422 challenge-malformed');
    const given = await answer(aes, '00112233445566778899aabbccddeeff'); // FIPS-197 C.1
    expect(given.body.response).toBe('69C4 E0D8 6A7B 0430 D8CD B780 70B4 C55A');
  });
});

describe('a request of the device itself', () => {
  const ask = async (challenge = tpmChallenge(card.cardSerial)) => {
    const body = { challenge: challenge.text, triesLeft: 0 };
    const made = expectStatus(201, await device.api.post(`/agent/cards/${card.cardId}/unblock-requests`, body)).body;
    return { ...made, challenge } as { sessionId: string; confirmationCode: string; challenge: typeof challenge };
  };
  const approve = (sessionId: string, confirmationCode: string) =>
    helpdesk().post(`/unblock-sessions/${sessionId}/approvals`, { confirmationCode, ...verified });
  const poll = async (sessionId: string) => (await device.api.get(`/agent/unblock-requests/${sessionId}`)).body;
  const stored = async (id: string) =>
    (await system.query('SELECT response FROM unblock_sessions WHERE id = $1', [id]))[0].response;

  it('is refused after a few wrong codes, whoever gives them, and says so', async () => {
    const { sessionId, confirmationCode } = await ask();
    const wrong = confirmationCode === '000000' ? '000001' : '000000';
    const guesses = await Promise.all([1, 2, 3, 4].map(() => approve(sessionId, wrong)));
    expect(guesses.map(refusal)).toEqual(Array(4).fill('422 confirmation-code-wrong'));
    expect(await poll(sessionId)).toEqual({ state: 'requested', response: null });
    expect(refusal(await approve(sessionId, wrong))).toBe('422 confirmation-code-wrong');
    expect(await poll(sessionId)).toEqual({ state: 'refused', response: null });
    expect(refusal(await approve(sessionId, confirmationCode))).toBe('409 unblock-session-closed');
    const [refused] = await system.query(
      `SELECT reason, after FROM audit_events WHERE action = 'unblock.refused' AND outcome = 'done' AND object_id = $1`,
      [sessionId],
    );
    expect(refused).toMatchObject({ reason: '5 wrong confirmation codes', after: { state: 'refused', wrongCodes: 5 } });
    // Another request begins anew.
    const again = await ask();
    expectStatus(201, await approve(again.sessionId, again.confirmationCode));
  });

  it('is approved by who hears its code; the response goes to the device alone, and is forgotten', async () => {
    const { sessionId, confirmationCode, challenge } = await ask();
    expect(await poll(sessionId)).toEqual({ state: 'requested', response: null });
    const shown = await session(sessionId);
    expect(JSON.stringify(shown)).not.toContain(confirmationCode);
    const wrong = confirmationCode === '000000' ? '000001' : '000000';
    expect(refusal(await approve(sessionId, wrong))).toBe('422 confirmation-code-wrong');
    expect(refusal(await answer(sessionId, challenge.text))).toBe('409 unblock-session-of-device');
    const approved = expectStatus(201, await approve(sessionId, confirmationCode));
    expect(approved.body.state).toBe('answered');
    const { state, response } = await poll(sessionId);
    expect(state).toBe('answered');
    expect(JSON.stringify([approved.body, await session(sessionId)])).not.toContain(response.slice(0, 9));
    expect((await poll(sessionId)).response).toBe(response);
    const decoded = decodeLines(response, RESPONSE_BYTES);
    const answers = decoded.ok ? unpackResponse(decoded.bytes) : undefined;
    const expected = policySigned(card.administratorKey, challenge.resetNonce, Buffer.alloc(0), 'card:reset');
    expect(Buffer.from(answers?.resetAnswer ?? []).toString('hex')).toBe(expected);
    expect(refusal(await approve(sessionId, confirmationCode))).toBe('409 unblock-session-already-answered');
    expectStatus(201, await device.api.post(`/agent/unblock-requests/${sessionId}/outcomes`, { outcome: 'worked' }));
    expect(await poll(sessionId)).toEqual({ state: 'worked', response: null });
    expect(await stored(sessionId)).toBeNull();
  });

  it('is not there for another device, and not for a card of another device', async () => {
    const { sessionId } = await ask();
    const stranger = rawDevice(system);
    await stranger.begin((await newCode(system)).code);
    expect(refusal(await stranger.api.get(`/agent/unblock-requests/${sessionId}`))).toBe('404 not-found');
    const outcome = await stranger.api.post(`/agent/unblock-requests/${sessionId}/outcomes`, { outcome: 'failed' });
    expect(refusal(outcome)).toBe('404 not-found');
    const body = { challenge: tpmChallenge(card.cardSerial).text, triesLeft: 0 };
    expect(refusal(await stranger.api.post(`/agent/cards/${card.cardId}/unblock-requests`, body))).toBe(
      '404 not-found',
    );
  });

  it('is void once the device asks again', async () => {
    const first = await ask();
    const second = await ask();
    expect(refusal(await approve(first.sessionId, first.confirmationCode))).toBe('409 unblock-session-closed');
    expectStatus(201, await approve(second.sessionId, second.confirmationCode));
  });

  it('approved while the vault is away is answered by the worker', { timeout: 90_000 }, async () => {
    const { sessionId, confirmationCode } = await ask();
    await system.processes.vault.kill();
    expect(refusal(await approve(sessionId, confirmationCode))).toBe('503 vault-unavailable');
    expect(await poll(sessionId)).toEqual({ state: 'open', response: null });
    await system.processes.vault.start();
    await system.query(`UPDATE unblock_sessions SET created_at = created_at - interval '1 minute' WHERE id = $1`, [
      sessionId,
    ]);
    await expect.poll(async () => (await poll(sessionId)).state, { timeout: 40_000, interval: 300 }).toBe('answered');
    expect((await poll(sessionId)).response).toMatch(/^[0-9A-Z]{4} /);
  });

  it('leaves no response behind when nobody collects it', { timeout: 60_000 }, async () => {
    const { sessionId, confirmationCode } = await ask();
    expectStatus(201, await approve(sessionId, confirmationCode));
    expect(await stored(sessionId)).not.toBeNull();
    await system.query(`UPDATE unblock_sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      sessionId,
    ]);
    expect((await poll(sessionId)).response).toBeNull();
    await expect.poll(() => stored(sessionId), { timeout: 20_000, interval: 200 }).toBeNull();
  });
});
