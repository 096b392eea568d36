import { createPrivateKey, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { unblockApprovalStatement } from '@cardwright/protocol/challenge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolmentCode, type Person, registerPerson } from '../support/people.ts';
import { rest } from '../support/rest.ts';
import { type Ran, refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

const PIN = '618294';
const OTHER_PIN = '729305';
const NEW_PIN = '837465';
const OPEN = 'tpm-self-service';

interface Held {
  readonly device: Device;
  readonly cardId: string;
  readonly serial: string;
  readonly pin: string;
}

let system: TestSystem;
const devices: Device[] = [];
let ada: Person;
/** Of Ada: its profile lets her other card approve; one that does not; and one of Grace. */
let locked: Held;
let other: Held;
let stranger: Held;

beforeAll(async () => {
  system = await startTestSystem();
  const made = await system.as('security-officer').post('/card-profiles', {
    ...{ name: OPEN, displayName: 'With self-service', algorithm: 'hmac-sha256', keyStrategy: 'random-stored' },
    selfServiceUnblock: true,
  });
  expect(made).toMatchObject({ status: 201, body: { selfServiceUnblock: true } });
  ada = await registerPerson(system, 'Ada Lovelace');
  const grace = await registerPerson(system, 'Grace Hopper');
  [locked, other, stranger] = await Promise.all([
    enrol(ada, PIN, OPEN),
    enrol(ada, OTHER_PIN),
    enrol(grace, OTHER_PIN, OPEN),
  ]);
});
afterAll(async () => {
  await Promise.all(devices.map((device) => device.remove()));
  await system?.remove();
});

async function enrol(person: Person, pin: string, profile?: string): Promise<Held> {
  const device = await newDevice();
  devices.push(device);
  const code = await enrolmentCode(system, person.id, profile);
  const ran = await device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
    input: `${pin}\n`,
  });
  if (ran.exitCode !== 0) throw new Error(`not enrolled: ${ran.stderr}`);
  const [card] = storeOf(device).cards;
  return { device, cardId: card.cardId, serial: card.serial, pin };
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks into the store, whatever its shape
const storeOf = (device: Device): any => JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
/** As a program with the device's token would speak, without the agent. */
const asDevice = ({ device }: Held) => rest(system.url, storeOf(device).servers[0].deviceToken);
const keyOf = ({ device }: Held) => storeOf(device).cards[0].keys[0] as { certificateId: string };
const codeOf = ({ body }: { body: { code?: string } }) => body.code;

const approve = (by: Held, code: string, pin = by.pin): Promise<Ran> =>
  by.device.agent(['approve', '--code', code, '--pin-stdin', '--json'], { input: `${pin}\n` });
const signs = (held: Held, pin: string) =>
  held.device.agent(['sign', '--in', '/proc/version', '--out', join(held.device.directory, 's'), '--pin-stdin'], {
    input: `${pin}\n`,
  });

/** The agent that waits ends with the request, whatever came of it. */
async function withRequest(held: Held, work: (code: string, sessionId: string) => Promise<void>): Promise<void> {
  const { confirmationCode, ended } = await held.device.startOnlineUnblock(NEW_PIN);
  const waiting = await system.as('helpdesk').get(`/cards/${held.cardId}/unblock-sessions?limit=1`);
  const sessionId = waiting.body.items[0].id;
  try {
    await work(confirmationCode, sessionId);
  } finally {
    await system.as('helpdesk').post(`/unblock-sessions/${sessionId}/refusals`, { reason: 'end of the test' });
    await ended;
  }
}

describe('a person with two cards', () => {
  it('sets a new PIN on the one with the other, and without an operator', async () => {
    const { confirmationCode, ended } = await locked.device.startOnlineUnblock(NEW_PIN);
    const approved = await approve(other, confirmationCode);
    expect(approved).toMatchObject({ exitCode: 0 });
    expect(approved.stderr).toContain(`Card ${locked.serial} of Ada Lovelace`);
    expect(JSON.parse(approved.stdout)).toMatchObject({ serial: other.serial, approved: locked.serial });
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(await signs(locked, NEW_PIN)).toMatchObject({ exitCode: 0 });
    expect(refusalOf(await signs(locked, PIN))).toBe('pin-wrong');

    const { body: certificate } = await system.as('auditor').get(`/certificates/${keyOf(other).certificateId}`);
    const { sessionId } = JSON.parse(approved.stdout);
    const verification = { method: 'another-card', evidence: `certificate ${certificate.serialNumber}` };
    const { body: session } = await system.as('auditor').get(`/unblock-sessions/${sessionId}`);
    expect(session).toMatchObject({ state: 'worked', verification, openedBy: null });
    const events = await system.as('auditor').get(`/audit/events?unblockSessionId=${sessionId}`);
    const approval = events.body.items.find(({ action }: { action: string }) => action === 'unblock.approved');
    expect(approval).toMatchObject({ outcome: 'done', actor: { kind: 'device' }, verification });
  });

  it('is refused for what the code, the PIN or the card is', async () => {
    await withRequest(locked, async (code, sessionId) => {
      const wrong = code === '000000' ? '000001' : '000000';
      expect(refusalOf(await approve(other, wrong))).toBe('confirmation-code-wrong');
      expect(refusalOf(await approve(other, code, '000000'))).toBe('pin-wrong');
      expect(codeOf(await asDevice(locked).post(prepare(locked), { confirmationCode: code }))).toBe(
        'approval-by-the-same-card',
      );
      // A right code is no help to somebody else, and tells nothing.
      expect(refusalOf(await approve(stranger, code))).toBe('not-found');
      const bySession = await asDevice(stranger).post(`/agent/cards/${stranger.cardId}/approvals`, {
        ...{ sessionId, confirmationCode: code, certificateId: keyOf(stranger).certificateId, signature: 'MEUCIQD=' },
      });
      expect(bySession).toMatchObject({ status: 404, body: { code: 'not-found' } });
      // Nor can a device speak for a card of another device.
      expect(codeOf(await asDevice(stranger).post(prepare(other), { confirmationCode: code }))).toBe('not-found');
      expect((await system.as('auditor').get(`/unblock-sessions/${sessionId}`)).body.state).toBe('requested');
    });
  });

  it('is refused where the profile of the locked card does not allow it', async () => {
    await withRequest(other, async (code) => {
      expect(refusalOf(await approve({ ...locked, pin: NEW_PIN }, code))).toBe('self-service-not-allowed');
    });
  });

  it('can not say so as an operator', async () => {
    const verification = { method: 'another-card', evidence: 'certificate 1' };
    const asked = { confirmationCode: '000000', verification, reason: 'Forgot the PIN' };
    await withRequest(locked, async (_, sessionId) => {
      const answer = await system.as('helpdesk').post(`/unblock-sessions/${sessionId}/approvals`, asked);
      expect(answer.status).toBe(400);
    });
  });
});

describe('root on the device of the other card, without its PIN', () => {
  const approvals = () => `/agent/cards/${other.cardId}/approvals`;

  it('gets nothing by a signature of its own, and each nonce is good for one look', async () => {
    await withRequest(locked, async (confirmationCode, sessionId) => {
      const { certificateId } = keyOf(other);
      const phone = asDevice(other);
      const { body: asked } = await phone.post(prepare(other), { confirmationCode });
      expect(asked).toMatchObject({ sessionId, serial: locked.serial, personName: 'Ada Lovelace' });
      const statement = unblockApprovalStatement({
        ...{ sessionId, serial: locked.serial, hostName: asked.hostName, requestedAt: asked.requestedAt },
        ...{ nonce: Buffer.from(asked.nonce, 'base64'), approvingSerial: other.serial, certificateId },
      });
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const der = privateKey.export({ type: 'pkcs8', format: 'der' });
      const key = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' });
      const signature = signWith('sha256', statement, key).toString('base64');
      const forged = { sessionId, confirmationCode, certificateId, signature };
      expect(codeOf(await phone.post(approvals(), { ...forged, confirmationCode: '1' }))).toBe(
        'confirmation-code-wrong',
      );
      const foreign = { ...forged, certificateId: keyOf(stranger).certificateId };
      expect(codeOf(await phone.post(approvals(), foreign))).toBe('certificate-not-active');
      expect(codeOf(await phone.post(approvals(), forged))).toBe('approval-signature-invalid');
      expect(codeOf(await phone.post(approvals(), forged))).toBe('approval-expired');

      expect((await phone.post(prepare(other), { confirmationCode })).status).toBe(201);
      await system.query(`UPDATE card_approvals SET expires_at = now() WHERE unblock_session_id = $1`, [sessionId]);
      expect(codeOf(await phone.post(approvals(), forged))).toBe('approval-expired');

      expect((await phone.post(prepare(other), { confirmationCode })).status).toBe(201);
      await system.query(`UPDATE card_approvals SET expires_at = now() WHERE unblock_session_id = $1`, [sessionId]);
      await until({ what: 'the worker to forget what nobody signed', seconds: 20 }, async () => {
        const left = await system.query('SELECT 1 FROM card_approvals WHERE unblock_session_id = $1', [sessionId]);
        return left.length === 0 || null;
      });
      await system.query(`UPDATE unblock_sessions SET expires_at = now() WHERE id = $1`, [sessionId]);
      expect(codeOf(await phone.post(prepare(other), { confirmationCode }))).toBe('unblock-session-expired');
      expect(codeOf(await phone.post(approvals(), forged))).toBe('unblock-session-expired');
    });
  });
});

it('a request ends after a few wrong codes that were tried with another card of its person', async () => {
  await withRequest(locked, async (code, sessionId) => {
    const wrong = code === '000000' ? '000001' : '000000';
    const guess = (confirmationCode: string) => asDevice(other).post(prepare(other), { confirmationCode });
    for (let tries = 0; tries < 5; tries++) expect(codeOf(await guess(wrong))).toBe('confirmation-code-wrong');
    const { body } = await system.as('auditor').get(`/unblock-sessions/${sessionId}`);
    expect(body.state).toBe('refused');
    expect(codeOf(await guess(code))).toBe('not-found');
  });
});

describe('a card whose certificate was revoked', () => {
  it('approves nothing', async () => {
    const { certificateId } = keyOf(other);
    const revoked = await system.as('security-officer').post(`/certificates/${certificateId}/revocations`, {
      ...{ reason: 'keyCompromise', comment: 'Seen elsewhere' },
    });
    expect(revoked.status).toBeLessThan(300);
    await withRequest(locked, async (code) => {
      expect(refusalOf(await approve(other, code))).toBe('certificate-not-active');
    });
  });
});

const prepare = (by: Held) => `/agent/cards/${by.cardId}/approval-requests`;
