import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustMaker } from '@cardwright/infra';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolmentCode, registerPerson } from '../support/people.ts';
import { refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

const PIN = '618294';

let system: TestSystem;
let device: Device;
beforeAll(async () => {
  system = await startTestSystem();
  const containers = (renewalKey: 'same' | 'new') => [
    {
      container: 'sign-in',
      keyType: 'ec-p256',
      certificateProfile: 'smart-card-sign-in',
      // A window longer than half of its life is half of it: due an hour after it was issued.
      validitySeconds: 7200,
      renewalDays: 1,
      renewalKey,
    },
  ];
  for (const renewalKey of ['same', 'new'] as const) {
    const made = await system.as('security-officer').post('/card-profiles', {
      name: `hourly-${renewalKey}`,
      displayName: 'Certificates of two hours',
      algorithm: 'hmac-sha256',
      keyStrategy: 'random-stored',
      containers: containers(renewalKey),
    });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
  }
});
afterAll(() => system?.remove());
beforeEach(async () => {
  device = await newDevice();
});
afterEach(() => device?.remove());

interface Enrolled {
  readonly cardId: string;
  readonly certificateId: string;
}

/** A card whose certificate is in the second half of its life: due. */
async function enrolledAndDue(profile: string): Promise<Enrolled> {
  const person = await registerPerson(system, 'Renewing Person');
  const code = await enrolmentCode(system, person.id, profile);
  const ran = await device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
    input: `${PIN}\n`,
  });
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
  const [card] = store().cards;
  await age(card.cardId);
  return { cardId: card.cardId, certificateId: card.keys[0].certificateId };
}

async function age(cardId: string): Promise<void> {
  const past = "not_before = not_before - interval '90 minutes', not_after = not_after - interval '90 minutes'";
  await system.query(`UPDATE certificates SET ${past} WHERE card_id = $1 AND status = 'active'`, [cardId]);
}

const store = () => JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
const key = () => store().cards[0].keys[0];
async function goodRound(): Promise<string> {
  const ran = await device.agent(['run', '--once', '--json']);
  expect(ran, ran.stderr + ran.stdout).toMatchObject({ exitCode: 0 });
  return ran.stdout;
}
const statusOf = async (certificateId: string) =>
  (await system.as('auditor').get(`/certificates/${certificateId}`)).body.status;
async function signs(): Promise<void> {
  const args = ['sign', '--in', '/proc/version', '--out', join(device.directory, 'signature'), '--pin-stdin'];
  expect(await device.agent(args, { input: `${PIN}\n` })).toMatchObject({ exitCode: 0 });
}

describe('a certificate that is due', () => {
  it('is renewed by the agent alone with the same key, and only then is the old one revoked', async () => {
    const { certificateId } = await enrolledAndDue('hourly-same');
    const before = key();
    expect(await goodRound()).toContain('certificate-renewed');
    const renewed = key();
    expect(renewed.blob).toBe(before.blob);
    expect(renewed.certificateId).not.toBe(certificateId);
    expect(await statusOf(certificateId)).toBe('revoked');
    expect(await statusOf(renewed.certificateId)).toBe('active');
    expect(store().renewals).toEqual([]);
    await signs();
    expect(await goodRound()).not.toContain('certificate-renewed');
  });

  it('and wants a new key waits for its holder, who is told once; then the PIN makes it', async () => {
    const { certificateId } = await enrolledAndDue('hourly-new');
    const before = key();
    expect(await goodRound()).toContain('renewal-waits-for-pin');
    expect(await goodRound()).not.toContain('renewal-waits-for-pin');
    // Of its own; the server reminds of what ends within days as well.
    const own = store().messages.filter(({ taskId }: { taskId: string }) => taskId === `renewal-${certificateId}`);
    expect(own).toHaveLength(1);
    expect(key()).toEqual(before);

    const wrong = await device.agent(['renew', '--pin-stdin', '--json'], { input: '000000\n' });
    expect(refusalOf(wrong)).toBe('pin-wrong');
    expect(await statusOf(certificateId)).toBe('active');
    await signs();
    const ran = await device.agent(['renew', '--pin-stdin', '--json'], { input: `${PIN}\n` });
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(ran.stdout).renewed).toEqual([{ container: 'sign-in', certificateId: key().certificateId }]);
    expect(key().blob).not.toBe(before.blob);
    expect(await statusOf(certificateId)).toBe('revoked');
    await signs();
  });
});

it('where the profile demands attestation, the next certificate is as well proven as the first: same key or new', async () => {
  trustMaker(join(device.directory, 'tpm'), system.data.tpmRoots, 'renewing');
  const policies = '/card-profiles/hourly-same/attestation-policies';
  const set = (policy: string) => system.as('security-officer').post(policies, { policy, reason: 'for this test' });
  expect((await set('required')).status).toBe(201);
  try {
    const { cardId } = await enrolledAndDue('hourly-same');
    expect(await goodRound()).toContain('certificate-renewed');
    const second = key().certificateId;
    await age(cardId);
    const ran = await device.agent(['renew', '--new-key', '--pin-stdin', '--json'], { input: `${PIN}\n` });
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
    const third = key().certificateId;
    for (const id of [second, third]) {
      const { attestation } = (await system.as('auditor').get(`/certificates/${id}`)).body;
      expect(attestation).toMatchObject({ state: 'attested', code: null });
    }
    expect(third).not.toBe(second);
  } finally {
    await set('preferred');
  }
});

it('a certificate that is not due is left alone, and the command says from when on it is', async () => {
  const person = await registerPerson(system, 'Patient Person');
  const code = await enrolmentCode(system, person.id);
  const ran = await device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
    input: `${PIN}\n`,
  });
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
  const before = key();
  expect(await goodRound()).not.toContain('certificate-renewed');
  const renewing = await device.agent(['renew', '--json']);
  expect(JSON.parse(renewing.stdout)).toMatchObject({ renewed: [], notYet: [{ container: 'sign-in' }] });
  expect(key()).toEqual(before);
});
