import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inRepository } from '@cardwright/infra';
import { expect } from 'vitest';
import { type Device, newDevice } from '../device.ts';
import { enrolmentCode, type Person, registerPerson } from '../people.ts';
import { type Ran, refusalOf } from '../run.ts';
import { bothRecordsAgree } from '../vault-audit.ts';
import { pinIsReset } from './resets.ts';
import type { TappedSystem } from './tapped-system.ts';
import { type TpmTap, tpmTap } from './tpm-tap.ts';
import { createDriver, type Driver } from './victim.ts';

const AGENT = inRepository('agent', 'bin', 'cardwright-agent.mjs');
const PIN = '618294';

/** A computer whose agent talks to cms and to its TPM through taps. */
export interface TappedDevice {
  readonly device: Device;
  readonly agent: Driver;
  /** The agent with that store. */
  run(store: Device, args: readonly string[], input: string, env?: Readonly<Record<string, string>>): Promise<Ran>;
  newStore(): Device;
  remove(): Promise<void>;
}

export async function tappedDevice({ crossings }: TappedSystem): Promise<TappedDevice> {
  const device = await newDevice();
  const tap: TpmTap = await tpmTap(crossings, device.tpm);
  const agent = createDriver('agent');
  return {
    ...{ device, agent },
    run: ({ store }, args, input, env = {}) =>
      agent.run(process.execPath, [AGENT, ...args], {
        input,
        env: { CARDWRIGHT_TPM: tap.tcti, CARDWRIGHT_STORE: store, ...env },
      }),
    newStore: () => device.withStore(join(device.directory, `store-${randomBytes(4).toString('hex')}`)),
    async remove() {
      await tap.close();
      await device.remove();
    },
  };
}

/** An enrolment of a new person, whose command can be repeated to the letter. */
export interface Enrolment {
  readonly person: Person;
  readonly store: Device;
  enrol(env?: Readonly<Record<string, string>>): Promise<Ran>;
}

export async function newEnrolment(tapped: TappedSystem, on: TappedDevice): Promise<Enrolment> {
  const person = await registerPerson(tapped.system, 'Ada Lovelace');
  const code = await enrolmentCode(tapped.system, person.id);
  const store = on.newStore();
  const args = ['enrol', '--server', tapped.url('agent'), '--code', code, '--pin-stdin'];
  return { person, store, enrol: (env) => on.run(store, args, `${PIN}\n`, env) };
}

/**
 * The same command completes the enrolment. Then there is one active card, whose PIN can be reset and which signs; it has
 * one certificate, and there is none that cms does not know of; and the two records agree.
 */
export async function enrolmentCompletes(tapped: TappedSystem, enrolment: Enrolment): Promise<void> {
  const { system } = tapped;
  await tapped.ready();
  const again = await enrolment.enrol();
  expect(refusalOf(again), again.stderr).toBeNull();
  const cards = await system.as('helpdesk').get(`/cards?personId=${enrolment.person.id}`);
  const living = cards.body.items.filter(({ state }: { state: string }) => state !== 'requested');
  expect(living).toMatchObject([{ state: 'active' }]);
  const confirmed = `select key_version from vault.administrator_keys where card_id = $1 and state = 'confirmed'`;
  expect(await system.query(confirmed, [living[0].id])).toEqual([{ key_version: living[0].keyVersion }]);
  await pinIsReset(system, enrolment.store, living[0].id);
  const known = await system.as('auditor').get(`/cards/${living[0].id}/certificates`);
  expect(known.body.items.filter(({ status }: { status: string }) => status === 'active')).toHaveLength(1);
  await everyCertificateIsRecorded(tapped);
  await bothRecordsAgree(system);
  // Gives the TPM its place back; a device of these tests sees hundreds of cards.
  const destroyed = await enrolment.store.agent(['destroy', '--card', living[0].serial, '--yes']);
  expect(refusalOf(destroyed), destroyed.stderr).toBeNull();
}

/** Nobody may hold a certificate that could not be revoked because cms does not know of it. */
async function everyCertificateIsRecorded({ system }: TappedSystem): Promise<void> {
  const unknown = await system.query(
    `select i.request_id from ca.certificates i
       left join public.certificates c on c.request_id = i.request_id and c.status <> 'failed'
      where i.profile = 'smart-card-sign-in' and c.id is null`,
  );
  expect(unknown).toEqual([]);
}
