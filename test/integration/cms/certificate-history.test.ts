import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrolmentCode, registerPerson } from '../../support/people.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { type Begun, csr, expectStatus, type RawDevice, rawDevice, refusal } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system?.remove());

interface State {
  status: string;
  decision: { state: string } | null;
  by: { action: string };
}
type Enrolled = Begun & { certificateId: string; device: RawDevice; personId: string };

async function enrolled(profile?: string): Promise<Enrolled> {
  const device = rawDevice(system);
  const person = await registerPerson(system, 'Mary Major');
  return { ...(await device.enrol(await enrolmentCode(system, person.id, profile))), device, personId: person.id };
}
/** Of a year it has had that many days. */
const age = (certificateId: string, days: number) =>
  system.query(
    `UPDATE certificates SET not_before = not_before - $2::int * interval '1 day', not_after = not_after - $2::int * interval '1 day' WHERE id = $1`,
    [certificateId, days],
  );
const get = (path: string) => system.as('auditor').get(path);
const certificateOf = async (id: string) => expectStatus(200, await get(`/certificates/${id}`)).body;
const revoke = async (id: string) =>
  expectStatus(
    201,
    await system
      .as('security-officer')
      .post(`/certificates/${id}/revocations`, { reason: 'keyCompromise', comment: 'Stolen' }),
  );
const now = async () => (await system.query('SELECT clock_timestamp() AS now'))[0].now as Date;

async function eventually<T>(what: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await what();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('who had what, when', () => {
  it('a certificate is found by whose it is and by what it is', async () => {
    const { certificateId, cardId, personId } = await enrolled();
    const certificate = await certificateOf(certificateId);
    const { deviceId, serialNumber, thumbprint, publicKey } = certificate;
    expect(publicKey).toMatch(/^[0-9a-f]{64}$/);
    expect(certificate).toMatchObject({
      certificateProfile: 'smart-card-sign-in',
      authority: 'embedded',
      status: 'active',
    });
    for (const query of [
      `cardId=${cardId}`,
      `deviceId=${deviceId}`,
      `personId=${personId}`,
      `serialNumber=00${serialNumber.toUpperCase()}`,
      `thumbprint=${thumbprint.toUpperCase()}`,
      `publicKey=${publicKey.toUpperCase()}`,
      `cardId=${cardId}&certificateProfile=smart-card-sign-in&authority=embedded&status=active&assurance=${certificate.assurance}`,
    ]) {
      const { items, next } = expectStatus(200, await get(`/certificates?${query}`)).body;
      expect([items.map(({ id }: { id: string }) => id), next], query).toEqual([[certificateId], null]);
    }
    for (const query of [
      `cardId=${cardId}&certificateProfile=device`,
      `cardId=${cardId}&authority=another`,
      `cardId=${cardId}&status=revoked`,
      `publicKey=${'0'.repeat(64)}`,
    ]) {
      expect(expectStatus(200, await get(`/certificates?${query}`)).body.items, query).toEqual([]);
    }
  });

  it('as of any past moment it is shown as it was then', async () => {
    const before = await now();
    const { certificateId, cardId } = await enrolled();
    const issued = await now();
    await revoke(certificateId);
    const revoked = await now();
    const asOf = async (moment: Date, more = '') => {
      const path = `/certificates?cardId=${cardId}&asOf=${encodeURIComponent(moment.toISOString())}${more}`;
      return expectStatus(200, await get(path)).body.items;
    };
    expect(await asOf(new Date(before.getTime() - 1))).toEqual([]);
    expect(await asOf(issued)).toMatchObject([
      { id: certificateId, status: 'active', revocation: null, allowedActions: [] },
    ]);
    expect(await asOf(revoked)).toMatchObject([
      { id: certificateId, status: 'revoked', revocation: { state: 'confirmed', reason: 'keyCompromise' } },
    ]);
    expect(await asOf(issued, '&status=revoked')).toEqual([]);
    expect(await asOf(revoked, '&status=revoked')).toHaveLength(1);
    expect(await asOf(issued, '&status=active')).toHaveLength(1);
    await age(certificateId, 366);
    expect(await asOf(issued)).toMatchObject([{ status: 'expired' }]);
    expect(await asOf(issued, '&status=expired')).toHaveLength(1);
    expect(await asOf(issued, '&status=active')).toEqual([]);
  });

  it('with every change of its state, and who brought it about', async () => {
    const { certificateId } = await enrolled();
    await revoke(certificateId);
    const { items } = expectStatus(200, await get(`/certificates/${certificateId}/history`)).body;
    const officer = { kind: 'operator', name: 'security-officer' };
    expect(items.map(({ status, decision, by }: State) => [status, decision?.state ?? null, by.action])).toEqual([
      ['revoked', 'confirmed', 'certificate.revoked'],
      ['active', 'confirmed', 'certificate.revoked'],
      ['active', 'proposed', 'certificate.revocation-requested'],
      ['active', null, 'certificate.issued'],
      ['proposed', null, 'certificate.requested'],
    ]);
    expect(items[2]).toMatchObject({
      number: 3,
      decision: { reason: 'keyCompromise' },
      by: { actor: officer },
    });
    expect(items[4].by.actor.kind).toBe('device');
    const page = expectStatus(200, await get(`/certificates/${certificateId}/history?limit=2`)).body;
    const rest = expectStatus(200, await get(`/certificates/${certificateId}/history?cursor=${page.next}`)).body;
    expect([...page.items, ...rest.items]).toEqual(items);
    expect(rest.next).toBeNull();
  });

  it.each([
    ['/certificates?asOf=2026-01-01T00:00:00Z', '400 field-invalid'],
    [`/certificates?cardId=0199f2a0-3333-7000-8000-000000000003&asOf=2999-01-01T00:00:00Z`, '400 field-invalid'],
    ['/certificates?cardId=0199f2a0-3333-7000-8000-000000000003&asOf=yesterday', '400 field-invalid'],
    ['/certificates?publicKey=xyz', '400 field-invalid'],
    ['/certificates?assurance=absolute', '400 field-invalid'],
    ['/certificates?shoeSize=43', '400 field-unknown'],
    ['/certificates?status=expired&cursor=MDE5OWYyYTAtMzMzMy03MDAwLTgwMDAtMDAwMDAwMDAwMDAz', '400 field-invalid'],
    ['/certificates/0199f2a0-3333-7000-8000-000000000003/history', '404 not-found'],
    ['/certificate-expiries?from=2027-13', '400 field-invalid'],
    ['/certificate-expiries?months=121', '400 field-invalid'],
    ['/certificate-expiries/2027-1/certificates', '400 field-invalid'],
  ])('%s is refused', async (path, expected) => {
    expect(refusal(await get(path))).toBe(expected);
  });
});

describe('when certificates end', () => {
  const counts = async () => expectStatus(200, await get('/certificate-expiries?from=2031-01&months=120')).body.items;
  const endIn = (id: string, at: string) =>
    system.query('UPDATE certificates SET not_after = $2 WHERE id = $1', [id, at]);

  it('is counted as it changes, and listed by month', async () => {
    const ids: string[] = [];
    for (const at of ['2031-02-28T12:00:00Z', '2031-02-01T00:00:00Z', '2031-03-01T00:00:00Z']) {
      const { certificateId } = await enrolled();
      await endIn(certificateId, at);
      ids.push(certificateId);
    }
    const month = (name: string, count: number) => ({
      ...{ month: name, count },
      profiles: [{ certificateProfile: 'smart-card-sign-in', count }],
    });
    expect(await counts()).toEqual([month('2031-02', 2), month('2031-03', 1)]);
    const list = async (query: string) =>
      expectStatus(200, await get(`/certificate-expiries/2031-02/certificates?${query}`)).body;
    const first = await list('limit=1');
    const second = await list(`limit=1&cursor=${first.next}`);
    expect([first, second].map(({ items }) => items[0].id)).toEqual([ids[1], ids[0]]);
    expect(second.next).toBeNull();
    expect((await list('certificateProfile=device')).items).toEqual([]);
    await revoke(ids[0] as string);
    expect(await counts()).toEqual([month('2031-02', 1), month('2031-03', 1)]);
    // The worker adds the changes up, and nothing else changes by it.
    await eventually(async () =>
      (await system.query('SELECT 1 FROM certificate_expiry_changes')).length === 0 ? true : undefined,
    );
    expect(await counts()).toEqual([month('2031-02', 1), month('2031-03', 1)]);
  });

  it('what has expired comes with what ended last first', async () => {
    const ids = [(await enrolled()).certificateId, (await enrolled()).certificateId];
    await age(ids[0] as string, 366);
    await age(ids[1] as string, 400);
    const page = expectStatus(200, await get('/certificates?status=expired&limit=1')).body;
    const rest = expectStatus(200, await get(`/certificates?status=expired&cursor=${page.next}`)).body;
    const shown = [...page.items, ...rest.items].map(({ id }) => id).filter((id) => ids.includes(id));
    expect(shown).toEqual(ids);
  });
});

describe('renewals', () => {
  const tasksOf = async ({ device }: Enrolled) => (await device.checkIn()).tasks;
  // Not by check-ins: a task that is given and not reported is given up after some.
  const kinds = async ({ cardId }: Enrolled) =>
    (await system.query('SELECT kind FROM tasks WHERE card_id = $1 ORDER BY id', [cardId])).map(({ kind }) => kind);
  const ask = (id: string) =>
    system.as('helpdesk').post(`/certificates/${id}/renewals`, { reason: 'Her name has changed' });
  const renew = (card: Enrolled, more: object = {}) =>
    card.device.api.post(`/agent/cards/${card.cardId}/certificate-requests`, {
      ...{ container: 'sign-in', replaces: card.certificateId },
      ...more,
    });

  it('an operator has a certificate renewed before its window, once', async () => {
    const card = await enrolled();
    expect(refusal(await renew(card))).toBe('409 renewal-too-early');
    const asked = expectStatus(201, await ask(card.certificateId)).body;
    expect(asked.key).toBe('same');
    expect(expectStatus(201, await ask(card.certificateId)).body).toEqual(asked);
    expect(await tasksOf(card)).toMatchObject([{ taskId: asked.taskId, kind: 'renew' }]);
    const { items } = expectStatus(200, await card.device.api.get(`/agent/cards/${card.cardId}/renewals`)).body;
    expect(items).toMatchObject([{ certificateId: card.certificateId, due: true, key: 'same' }]);
    expectStatus(201, await renew(card));
  });

  it('a key that is too old is not certified again, and its holder is told', async () => {
    const card = await enrolled('aged-keys');
    await age(card.certificateId, 340);
    await system.query(`UPDATE certificates SET created_at = created_at - interval '366 days' WHERE id = $1`, [
      card.certificateId,
    ]);
    expect(refusal(await renew(card))).toBe('422 renewal-needs-new-key');
    const asked = expectStatus(201, await ask(card.certificateId)).body;
    expect(asked.key).toBe('new');
    expect(expectStatus(201, await ask(card.certificateId)).body).toEqual(asked);
    const [task] = await tasksOf(card);
    expect(task).toMatchObject({ taskId: asked.taskId, kind: 'message' });
    expect(task?.message).toContain(`cardwright-agent renew --card ${card.cardSerial}`);
    expectStatus(201, await renew(card, { csr: csr() }));
  });

  it('what is due is queued by the worker, and once; a reminder where the PIN is needed, by the days that are left', async () => {
    const [same, aged, young] = [await enrolled(), await enrolled('aged-keys'), await enrolled()];
    for (const card of [same, aged, young]) await card.device.checkIn();
    await system.query(`UPDATE certificates SET created_at = created_at - interval '366 days' WHERE id = $1`, [
      aged.certificateId,
    ]);
    await age(aged.certificateId, 352);
    await age(same.certificateId, 340);
    await eventually(async () => ((await kinds(same)).length > 0 ? true : undefined));
    await eventually(async () => ((await kinds(aged)).length > 0 ? true : undefined));
    expect(await kinds(same)).toEqual(['renew']);
    expect(await kinds(aged)).toEqual(['message']);
    expect(
      await system.query('SELECT days FROM renewal_reminders WHERE certificate_id = $1', [aged.certificateId]),
    ).toEqual([{ days: 14 }]);
    // Near its end it is said again; what was asked for is not.
    await age(aged.certificateId, 11);
    await eventually(async () => ((await kinds(aged)).length > 1 ? true : undefined));
    expect(await kinds(aged)).toEqual(['message', 'message']);
    expect(await kinds(same)).toEqual(['renew']);
    expect(await kinds(young)).toEqual([]);
  });

  it('are refused for what is not in force, or not on a device', async () => {
    const card = await enrolled();
    await revoke(card.certificateId);
    expect(refusal(await ask(card.certificateId))).toBe('409 certificate-not-renewable');
    const ended = await enrolled();
    await age(ended.certificateId, 366);
    expect(refusal(await ask(ended.certificateId))).toBe('409 certificate-not-renewable');
    const retired = await enrolled();
    expectStatus(
      201,
      await system.as('security-officer').post(`/cards/${retired.cardId}/retirements`, { reason: 'Left' }),
    );
    expect(refusal(await ask(retired.certificateId))).toBe('409 card-not-active');
    expect(refusal(await ask('0199f2a0-3333-7000-8000-000000000003'))).toBe('404 not-found');
  });

  beforeAll(async () => {
    const officer = system.as('security-officer');
    const { kind, displayName, keyTypes, validitySeconds, names } = (
      await officer.get('/certificate-profiles/smart-card-sign-in')
    ).body;
    const made = await officer.post('/certificate-profiles', {
      ...{ name: 'aged-keys', kind, displayName, keyTypes, validitySeconds, names, maxKeyAgeDays: 365 },
    });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const profile = await officer.post('/card-profiles', {
      ...{ name: 'aged-keys', displayName: 'Keys of a year', algorithm: 'hmac-sha256', keyStrategy: 'random-stored' },
      containers: [{ container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'aged-keys' }],
    });
    expect(profile.status, JSON.stringify(profile.body)).toBe(201);
  });
});
