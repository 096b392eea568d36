import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolmentCode, registerPerson } from '../support/people.ts';
import { rest } from '../support/rest.ts';
import { recordsOf } from '../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { refusal, withBadSignature } from './cms/raw-device.ts';

let system: TestSystem;
let device: Device;
beforeAll(async () => {
  [system, device] = await Promise.all([startTestSystem(), newDevice()]);
});
afterAll(async () => {
  await device?.remove();
  await system?.remove();
});

it('a request with a bad signature is refused and changes nothing; the agent then completes its enrolment', async () => {
  const person = await registerPerson(system, 'Radia Perlman');
  const code = await enrolmentCode(system, person.id);
  const enrol = (env: Record<string, string> = {}) =>
    device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], { input: '618294\n', env });
  const stopped = await enrol({ CARDWRIGHT_FAULT_AT: 'server.certificate.before' });
  expect(stopped.signal, stopped.stderr).toBe('SIGKILL');

  // What root on the device has: the agent's token, and the request that the TPM has signed.
  const { servers, enrolments } = JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
  const { claim, containers } = enrolments[0].state;
  const ask = (csr: string) =>
    rest(system.url, servers[0].deviceToken).post(`/agent/enrolments/${claim.enrolmentId}/certificate-requests`, {
      container: containers[0].container,
      csr,
    });
  const before = await recordsOf(system);
  expect(refusal(await ask(withBadSignature(containers[0].csr)))).toBe('422 csr-signature-invalid');
  const changed = withOtherSubject(containers[0].csr);
  expect(refusal(await ask(changed))).toBe('422 csr-signature-invalid');
  expect(await recordsOf(system)).toEqual(before);
  const { items } = (await system.as('auditor').get(`/audit/events?cardId=${claim.cardId}&outcome=refused`)).body;
  expect(items).toMatchObject([
    { action: 'certificate.requested', code: 'csr-signature-invalid', personId: person.id, deviceId: claim.deviceId },
    { action: 'certificate.requested', code: 'csr-signature-invalid' },
  ]);

  expect(await enrol()).toMatchObject({ exitCode: 0 });
  const certificates = (await system.as('auditor').get(`/cards/${claim.cardId}/certificates`)).body.items;
  expect(certificates).toMatchObject([{ status: 'active' }]);
});

/** The same request with one letter of its subject changed: what the signature is over, not the signature. */
function withOtherSubject(csr: string): string {
  const der = Buffer.from(csr, 'base64');
  // The common name's object identifier (2.5.4.3), then the tag and the length of its value.
  const at = der.indexOf(Buffer.from('0603550403', 'hex')) + 7;
  der.write(der.toString('latin1', at, at + 1) === 'L' ? 'M' : 'L', at);
  return der.toString('base64');
}
