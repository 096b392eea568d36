import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { type Begun, expectStatus, newCode, rawDevice, refusal } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
}, 120_000);
afterAll(async () => {
  await system?.remove();
});

const enrolled = async () => rawDevice(system).enrol((await newCode(system)).code);
const certificate = async (id: string) => (await system.as('auditor').get(`/certificates/${id}`)).body;
const revoke = (id: string, reason = 'keyCompromise') =>
  system.as('security-officer').post(`/certificates/${id}/revocations`, { reason, comment: 'Laptop stolen' });

async function revokedSerials(): Promise<string> {
  const crl = Buffer.from(await (await fetch(`${system.url}/pki/issuing.crl`)).arrayBuffer());
  return execFileSync('openssl', ['crl', '-inform', 'DER', '-noout', '-text'], { input: crl, encoding: 'utf8' });
}

describe('a revocation', () => {
  it('is confirmed by the CA, shown with who, when and why, and stands', async () => {
    const { certificateId: id } = await enrolled();
    const first = expectStatus(201, await revoke(id)).body;
    expect(first).toMatchObject({
      certificateId: id,
      state: 'confirmed',
      reason: 'keyCompromise',
      comment: 'Laptop stolen',
    });
    const shown = await certificate(id);
    expect(shown.status).toBe('revoked');
    expect(shown.revocation).toMatchObject({ reason: 'keyCompromise', requestedBy: { name: 'security-officer' } });
    expect(shown.allowedActions.map((one: { allowed: boolean }) => one.allowed)).toEqual([false, false, false]);
    expect(await revokedSerials()).toContain(shown.serialNumber.toUpperCase());
    expect((await revoke(id)).body.id).toBe(first.id);
    expect(refusal(await revoke(id, 'superseded'))).toBe('409 certificate-already-revoked');
    const events = await system.as('auditor').get(`/audit/events?certificateId=${id}&action=certificate.revoked`);
    expect(events.body.items).toMatchObject([{ actor: { name: 'security-officer' }, reason: 'Laptop stolen' }]);
  });

  it('is for who may, and for what is there and active', async () => {
    const { certificateId: id } = await enrolled();
    const body = { reason: 'keyCompromise', comment: 'no' };
    expect(refusal(await system.as('helpdesk').post(`/certificates/${id}/revocations`, body))).toBe(
      '403 permission-missing',
    );
    expect(refusal(await revoke('0199f2a0-5555-7000-8000-000000000005'))).toBe('404 not-found');
    expect(refusal(await revoke(id, 'cACompromise'))).toBe('400 field-invalid');
    await system.query(`UPDATE certificates SET not_after = now() - interval '1 second' WHERE id = $1`, [id]);
    expect((await certificate(id)).status).toBe('expired');
    expect(refusal(await revoke(id))).toBe('409 certificate-not-active');
  });

  it('of many at once is one', async () => {
    const { certificateId: id } = await enrolled();
    const answers = await Promise.all(Array.from({ length: 6 }, () => revoke(id)));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    const events = await system.as('auditor').get(`/audit/events?certificateId=${id}&action=certificate.revoked`);
    expect(events.body.items).toHaveLength(1);
  });
});

describe('a hold', () => {
  const act = (id: string, what: 'holds' | 'releases', comment = 'Laptop not found') =>
    system.as('security-officer').post(`/certificates/${id}/${what}`, { comment, ticket: 'INC-7' });
  const holds = async (id: string) =>
    (await system.as('auditor').get(`/certificates/${id}/holds`)).body.items.map(
      (one: { act: string; state: string }) => `${one.act} ${one.state}`,
    );

  it('is begun, ended, begun again and made final, and each of them is kept', async () => {
    const { certificateId: id } = await enrolled();
    const held = expectStatus(201, await act(id, 'holds')).body;
    expect(held).toMatchObject({ act: 'hold', state: 'confirmed', comment: 'Laptop not found', lastError: null });
    expect((await act(id, 'holds')).body.id).toBe(held.id);
    expect(await certificate(id)).toMatchObject({ status: 'on-hold', revocation: null });
    const serial = (await certificate(id)).serialNumber.toUpperCase();
    expect(await revokedSerials()).toMatch(new RegExp(`${serial}[\\s\\S]{0,200}Certificate Hold`));

    expect(expectStatus(201, await act(id, 'releases', 'Found')).body).toMatchObject({ state: 'confirmed' });
    expect(await certificate(id)).toMatchObject({ status: 'active' });
    expect(await revokedSerials()).not.toContain(serial);
    expect(refusal(await act(id, 'releases'))).toBe('409 certificate-not-on-hold');

    expectStatus(201, await act(id, 'holds'));
    expect(expectStatus(201, await revoke(id, 'superseded')).body.state).toBe('confirmed');
    expect(await certificate(id)).toMatchObject({ status: 'revoked', revocation: { reason: 'superseded' } });
    for (const what of ['holds', 'releases'] as const) {
      expect(refusal(await act(id, what))).toBe('409 certificate-already-revoked');
    }
    expect(await holds(id)).toEqual(['hold confirmed', 'release confirmed', 'hold confirmed']);
    const events = await system.as('auditor').get(`/audit/events?certificateId=${id}&actorId=${held.requestedBy.id}`);
    expect(events.body.items.map((event: { action: string }) => event.action)).toEqual(
      expect.arrayContaining(['certificate.held', 'certificate.released', 'certificate.revoked']),
    );
  });

  it('that the CA has not heard of gives way to a revocation', { timeout: 90_000 }, async () => {
    const [{ certificateId: kept }, { certificateId: given }] = [await enrolled(), await enrolled()];
    await system.processes.ca.kill();
    for (const id of [kept, given]) {
      const proposed = expectStatus(201, await act(id, 'holds')).body;
      expect(proposed).toMatchObject({ state: 'proposed', attempts: 1, lastError: { code: 'ca-unavailable' } });
      expect(refusal(await act(id, 'releases'))).toBe('409 hold-under-way');
      const shown = (await system.as('security-officer').get(`/certificates/${id}`)).body;
      expect(shown).toMatchObject({ status: 'active', openHold: 'hold' });
      expect(shown.allowedActions.map((one: { allowed: boolean }) => one.allowed)).toEqual([true, false, false]);
    }
    expectStatus(201, await revoke(given));
    expect(await holds(given)).toEqual(['hold superseded']);
    await system.processes.ca.start();
    const statusOf = async (id: string) => (await certificate(id)).status;
    await expect.poll(() => statusOf(kept), { timeout: 40_000, interval: 300 }).toBe('on-hold');
    await expect.poll(() => statusOf(given), { timeout: 40_000, interval: 300 }).toBe('revoked');
    expect(await holds(kept)).toEqual(['hold confirmed']);
  });

  it('is history that nobody changes', async () => {
    const { certificateId: id } = await enrolled();
    expectStatus(201, await act(id, 'holds'));
    expectStatus(201, await revoke(id));
    for (const sql of [
      `UPDATE certificate_holds SET comment = 'never' WHERE certificate_id = $1`,
      'DELETE FROM certificate_holds WHERE certificate_id = $1',
      `UPDATE revocations SET reason = 'unspecified' WHERE certificate_id = $1`,
      'DELETE FROM revocations WHERE certificate_id = $1',
    ]) {
      await expect(system.query(sql, [id]), sql).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('a revocation that is dated back', () => {
  const dated = (id: string, invalidityDate: string) =>
    system
      .as('security-officer')
      .post(`/certificates/${id}/revocations`, { reason: 'keyCompromise', comment: 'Stolen', invalidityDate });

  it('lies in the life of the certificate so far, and is in the CRL', async () => {
    const { certificateId: id } = await enrolled();
    const { notBefore, serialNumber } = await certificate(id);
    const begin = new Date(notBefore).getTime();
    expect(refusal(await dated(id, new Date(begin - 1000).toISOString()))).toBe(
      '422 invalidity-date-before-certificate',
    );
    expect(refusal(await dated(id, new Date(Date.now() + 60_000).toISOString()))).toBe('422 invalidity-date-in-future');
    const since = new Date(begin).toISOString();
    expect(expectStatus(201, await dated(id, since)).body).toMatchObject({ state: 'confirmed', invalidityDate: since });
    expect(await revokedSerials()).toMatch(new RegExp(`${serialNumber.toUpperCase()}[\\s\\S]{0,300}Invalidity Date`));
  });
});

describe('the queue of revocations', () => {
  it('shows what waits for its CA, why, and until when; and empties', { timeout: 90_000 }, async () => {
    const { certificateId: id } = await enrolled();
    const queue = async () => (await system.as('auditor').get('/revocations?state=proposed')).body.items;
    await system.processes.ca.kill();
    expect(expectStatus(201, await revoke(id)).body.state).toBe('proposed');
    expect(await certificate(id)).toMatchObject({
      status: 'active',
      revocation: { state: 'proposed', lastError: { code: 'ca-unavailable', refused: false } },
    });
    const [waiting] = (await queue()).filter((one: { certificateId: string }) => one.certificateId === id);
    expect(waiting).toMatchObject({
      authority: 'embedded',
      attempts: 1,
      lastError: { code: 'ca-unavailable', refused: false },
    });
    expect(Date.parse(waiting.nextAttemptAt)).toBeGreaterThan(Date.parse(waiting.createdAt));
    await system.processes.ca.start();
    await expect.poll(async () => (await queue()).length, { timeout: 40_000, interval: 300 }).toBe(0);
    const done = (await system.as('auditor').get(`/certificates/${id}/revocations`)).body;
    expect(done).toMatchObject({ state: 'confirmed', nextAttemptAt: null });
    expect((await certificate(id)).status).toBe('revoked');
    expect(await revokedSerials()).toContain((await certificate(id)).serialNumber.toUpperCase());
    const events = await system.as('auditor').get(`/audit/events?certificateId=${id}&action=certificate.revoked`);
    // Told by the worker, under the request that decided it.
    expect(events.body.items).toMatchObject([{ actor: { name: 'worker' }, requestId: done.requestId }]);
  });
});

describe('certificates go', () => {
  const goneWith = async (end: (card: Begun & { certificateId: string }) => Promise<void>) => {
    const card = await enrolled();
    await end(card);
    expect(await certificate(card.certificateId)).toMatchObject({
      status: 'revoked',
      revocation: { reason: 'cessationOfOperation', state: 'confirmed' },
    });
  };

  it('with a card that is retired', () =>
    goneWith(async ({ cardId }) => {
      expectStatus(201, await system.as('security-officer').post(`/cards/${cardId}/retirements`, { reason: 'Left' }));
    }));

  it('with a card that its device destroyed, once and again', async () => {
    const device = rawDevice(system);
    const card = await device.enrol((await newCode(system)).code);
    for (const _ of [1, 2]) {
      const destroyed = await device.api.post(`/agent/cards/${card.cardId}/destructions`);
      expect(expectStatus(201, destroyed).body).toEqual({ state: 'destroyed' });
    }
    expect((await certificate(card.certificateId)).status).toBe('revoked');
    expect((await device.api.get('/agent/cards')).body.items).toMatchObject([
      { cardId: card.cardId, state: 'destroyed' },
    ]);
  });
});

describe('the list of certificates', () => {
  it('is found by device, card, person, serial number, thumbprint and status', async () => {
    const card = await enrolled();
    const one = await certificate(card.certificateId);
    const queries = [
      `deviceId=${one.deviceId}`,
      `cardId=${one.cardId}`,
      `personId=${one.personId}`,
      `serialNumber=00${one.serialNumber.toUpperCase()}`,
      `thumbprint=${one.thumbprint.toUpperCase()}`,
      `personId=${one.personId}&status=active`,
    ];
    for (const query of queries) {
      const found = expectStatus(200, await system.as('auditor').get(`/certificates?${query}`)).body.items;
      expect(
        found.map((item: { id: string }) => item.id),
        query,
      ).toEqual([one.id]);
    }
    expect(
      (await system.as('auditor').get(`/certificates?personId=${one.personId}&status=revoked`)).body.items,
    ).toEqual([]);
    expect(refusal(await system.as('auditor').get('/certificates?serial=1'))).toBe('400 field-unknown');
  });

  it('comes in pages that miss nothing and repeat nothing', async () => {
    await enrolled();
    const all = (await system.as('auditor').get('/certificates?limit=200')).body.items.map(
      (item: { id: string }) => item.id,
    );
    const paged: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const answer = await system.as('auditor').get(`/certificates?limit=2${next === '' ? '' : `&cursor=${next}`}`);
      paged.push(...answer.body.items.map((item: { id: string }) => item.id));
      next = answer.body.next;
    }
    expect(all.length).toBeGreaterThan(2);
    expect(paged).toEqual(all);
  });
});
