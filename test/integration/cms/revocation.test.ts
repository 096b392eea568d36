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
    expect(shown.allowedActions).toMatchObject([{ action: 'revoke', allowed: false }]);
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

  it('decided while the CA is away is carried out by the worker', { timeout: 90_000 }, async () => {
    const { certificateId: id } = await enrolled();
    await system.processes.ca.kill();
    expect(expectStatus(201, await revoke(id)).body.state).toBe('proposed');
    expect(await certificate(id)).toMatchObject({ status: 'active', revocation: { state: 'proposed' } });
    await system.processes.ca.start();
    await expect.poll(async () => (await certificate(id)).status, { timeout: 40_000, interval: 300 }).toBe('revoked');
    expect(await revokedSerials()).toContain((await certificate(id)).serialNumber.toUpperCase());
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
