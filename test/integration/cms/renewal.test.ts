import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { renewalProofStatement } from '@cardwright/protocol/enrolment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrolmentCode, registerPerson } from '../../support/people.ts';
import type { Answer } from '../../support/rest.ts';
import { runFolder } from '../../support/run-folder.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { type Begun, csr, expectStatus, type RawDevice, rawDevice, refusal } from './raw-device.ts';
import { softwareCredentials } from './software-credential.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system?.remove());

type Enrolled = Begun & { certificateId: string; device: RawDevice };

async function enrolled(): Promise<Enrolled> {
  const device = rawDevice(system);
  const person = await registerPerson(system, 'Mary Major');
  const card = await device.enrol(await enrolmentCode(system, person.id));
  return { ...card, device };
}

/** Of the year that it has, it has had eleven months. */
async function enrolledAndDue(): Promise<Enrolled> {
  const card = await enrolled();
  await age(card.certificateId);
  return card;
}
const age = (certificateId: string) =>
  system.query(
    "UPDATE certificates SET not_before = not_before - interval '340 days', not_after = not_after - interval '340 days' WHERE id = $1",
    [certificateId],
  );

const renew = ({ device, cardId }: Enrolled, body: object): Promise<Answer> =>
  device.api.post(`/agent/cards/${cardId}/certificate-requests`, { container: 'sign-in', ...body });
const confirm = ({ device, cardId }: Enrolled, certificateId: string): Promise<Answer> =>
  device.api.post(`/agent/cards/${cardId}/certificates/${certificateId}/confirmations`, {});
const statusOf = async (id: string) => (await system.as('auditor').get(`/certificates/${id}`)).body.status;

describe('a renewal', () => {
  it('with the same key: the old one stays in force until the new one is confirmed', async () => {
    const card = await enrolledAndDue();
    const { certificateId: replaces } = card;
    const issued = expectStatus(201, await renew(card, { replaces })).body;
    expect(await statusOf(replaces)).toBe('active');
    expect(expectStatus(201, await renew(card, { replaces })).body).toEqual(issued);

    const { superseded } = expectStatus(201, await confirm(card, issued.certificateId)).body;
    expect(superseded).toEqual([replaces]);
    expect(await statusOf(replaces)).toBe('revoked');
    expect(await statusOf(issued.certificateId)).toBe('active');
    expect(expectStatus(201, await confirm(card, issued.certificateId)).body).toEqual({ superseded: [] });

    const events = (await system.as('auditor').get(`/audit/events?cardId=${card.cardId}&action=certificate.renewed`))
      .body.items;
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ outcome: 'done', after: { container: 'sign-in', supersedes: [replaces] } });
    expect(refusal(await renew(card, { replaces }))).toBe('409 certificate-not-renewable');
  });

  it('with a new key keeps its level of assurance only where the key before signs for it', async () => {
    const directory = mkdtempSync(join(runFolder(), 'renewal-'));
    const { credential, jwsOf, softwareKey } = softwareCredentials(directory);
    const verification = { method: 'in-person', evidence: 'Passport, photograph compared' };
    const profile = { name: 'vouched', displayName: 'Vouched', algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
    const made = { ...profile, enrolmentMethods: ['on-behalf'] };
    expectStatus(201, await system.as('security-officer').post('/card-profiles', made));
    const person = await registerPerson(system, 'Mary Major');
    const asked = { personId: person.id, cardProfile: 'vouched', verification };
    const { code } = expectStatus(201, await system.as('helpdesk').post('/enrolments', asked)).body;
    const device = rawDevice(system);
    const card = await credential(system, { person, code }, device);
    await age(card.certificateId);

    const { certificateId: replaces, cardId } = card;
    const renewed = async (proofBy: { file: string; der: Buffer } | null) => {
      const { csr: request } = softwareKey();
      const requestHash = createHash('sha256').update(Buffer.from(request, 'base64')).digest();
      const { cardSerial } = card;
      const statement = renewalProofStatement({ cardSerial, container: 'sign-in', replaces, requestHash });
      const proof = proofBy === null ? {} : { proof: jwsOf(proofBy, statement) };
      const body = { container: 'sign-in', replaces, csr: request, ...proof };
      return device.api.post(`/agent/cards/${cardId}/certificate-requests`, body);
    };
    const levelOf = async (answer: Answer) =>
      (await system.as('auditor').get(`/certificates/${expectStatus(201, answer).body.certificateId}`)).body.assurance;
    expect(await levelOf(await renewed(null))).toBe('low');
    // Root on the device has its token, and keys of its own; not the card's.
    expect(refusal(await renewed({ ...card, file: softwareKey().file }))).toBe('422 proof-signature-invalid');
    expect(await levelOf(await renewed(card))).toBe('substantial');
    rmSync(directory, { recursive: true, force: true });
  });

  it('with a new key is asked for as at enrolment; a second request supersedes one that was never confirmed', async () => {
    const card = await enrolledAndDue();
    const { certificateId: replaces } = card;
    const first = expectStatus(201, await renew(card, { replaces, csr: csr() })).body;
    const second = expectStatus(201, await renew(card, { replaces, csr: csr() })).body;
    expect([
      await statusOf(replaces),
      await statusOf(first.certificateId),
      await statusOf(second.certificateId),
    ]).toEqual(['active', 'revoked', 'active']);
    expect(refusal(await confirm(card, first.certificateId))).toBe('409 certificate-not-renewable');
    expect(expectStatus(201, await confirm(card, second.certificateId)).body.superseded).toEqual([replaces]);
    expect(refusal(await renew(card, { replaces: second.certificateId, csr: csr('rsa-2048') }))).toBe(
      '422 csr-key-not-allowed',
    );
    expect(refusal(await renew(card, { replaces: second.certificateId, csr: 'AAAA' }))).toBe('422 csr-malformed');
  });

  it('asked for twice at once gives one certificate', async () => {
    const card = await enrolledAndDue();
    const answers = await Promise.all([1, 2, 3].map(() => renew(card, { replaces: card.certificateId })));
    expect(new Set(answers.map((answer) => expectStatus(201, answer).body.certificateId)).size).toBe(1);
  });

  it('whose confirmation was lost is listed with the old one, and given again', async () => {
    const card = await enrolledAndDue();
    const list = async () => expectStatus(200, await card.device.api.get(`/agent/cards/${card.cardId}/renewals`)).body;
    expect((await list()).items).toMatchObject([
      { container: 'sign-in', certificateId: card.certificateId, due: true, key: 'same' },
    ]);
    const issued = expectStatus(201, await renew(card, { replaces: card.certificateId })).body;
    expect((await list()).items).toMatchObject([{ certificateId: card.certificateId, due: true }]);
    expect(expectStatus(201, await renew(card, { replaces: card.certificateId })).body).toEqual(issued);
    expectStatus(201, await confirm(card, issued.certificateId));
    expect((await list()).items).toMatchObject([{ certificateId: issued.certificateId, due: false }]);
  });
});

describe('is refused', () => {
  it('before the window of the policy', async () => {
    const card = await enrolled();
    const early = await renew(card, { replaces: card.certificateId });
    expect(refusal(early)).toBe('409 renewal-too-early');
    expect(await statusOf(card.certificateId)).toBe('active');
  });

  it('for a certificate that has ended, is revoked, or is of another container or card', async () => {
    const card = await enrolledAndDue();
    const other = await enrolledAndDue();
    expect(refusal(await renew(card, { replaces: other.certificateId }))).toBe('409 certificate-not-renewable');
    expect(refusal(await renew(card, { replaces: card.certificateId, container: 'mail' }))).toBe(
      '409 certificate-not-renewable',
    );
    await age(other.certificateId);
    expect(refusal(await renew(other, { replaces: other.certificateId }))).toBe('409 certificate-not-renewable');
    const revoked = await system.as('security-officer').post(`/certificates/${card.certificateId}/revocations`, {
      reason: 'keyCompromise',
      comment: 'Seen elsewhere',
    });
    expect(revoked.status, JSON.stringify(revoked.body)).toBe(201);
    expect(refusal(await renew(card, { replaces: card.certificateId }))).toBe('409 certificate-not-renewable');
  });

  it('after five certificates of one container in a day', async () => {
    const card = await enrolledAndDue();
    for (let made = 1; made < 5; made++) {
      expectStatus(201, await renew(card, { replaces: card.certificateId, csr: csr() }));
    }
    expect(refusal(await renew(card, { replaces: card.certificateId, csr: csr() }))).toBe(
      '429 certificate-limit-reached',
    );
  });

  it('to another device, and for a card that is out of use', async () => {
    const card = await enrolledAndDue();
    const stranger = await enrolled();
    const asStranger = { ...card, device: stranger.device };
    expect(refusal(await renew(asStranger, { replaces: card.certificateId }))).toBe('404 not-found');
    expect(refusal(await confirm(asStranger, card.certificateId))).toBe('404 not-found');
    expect(refusal(await stranger.device.api.get(`/agent/cards/${card.cardId}/renewals`))).toBe('404 not-found');
    const retired = await system.as('security-officer').post(`/cards/${card.cardId}/retirements`, { reason: 'Left' });
    expect(retired.status).toBe(201);
    expect(refusal(await renew(card, { replaces: card.certificateId }))).toBe('409 card-not-active');
    expect(refusal(await confirm(card, card.certificateId))).toBe('409 card-not-active');
  });

  it('without evidence where the profile demands attestation', async () => {
    const card = await enrolledAndDue();
    const policies = '/card-profiles/tpm-default/attestation-policies';
    const set = (policy: string) => system.as('security-officer').post(policies, { policy, reason: 'for this test' });
    expectStatus(201, await set('required'));
    try {
      for (const body of [{}, { csr: csr() }]) {
        const refused = await renew(card, { replaces: card.certificateId, ...body });
        expect(refusal(refused)).toBe('422 attestation-required');
      }
    } finally {
      expectStatus(201, await set('preferred'));
    }
  });

  it('with the same key where the profile wants a new one each time', async () => {
    const profile = {
      name: 'always-new',
      displayName: 'A new key each time',
      algorithm: 'hmac-sha256',
      keyStrategy: 'random-stored',
      containers: [
        {
          container: 'sign-in',
          keyType: 'ec-p256',
          certificateProfile: 'smart-card-sign-in',
          validitySeconds: 31_536_000,
          renewalKey: 'new',
        },
      ],
    };
    expectStatus(201, await system.as('security-officer').post('/card-profiles', profile));
    const device = rawDevice(system);
    const person = await registerPerson(system, 'Mary Major');
    const card = { ...(await device.enrol(await enrolmentCode(system, person.id, 'always-new'))), device };
    await age(card.certificateId);
    expect(refusal(await renew(card, { replaces: card.certificateId }))).toBe('422 renewal-needs-new-key');
    expectStatus(201, await renew(card, { replaces: card.certificateId, csr: csr() }));
  });
});
