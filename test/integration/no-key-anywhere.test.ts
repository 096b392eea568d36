import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { administratorKeys } from '../support/open-vault.ts';
import { enrolledCard, enrolmentCode, registerPerson } from '../support/people.ts';
import { sealKey } from '../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/**
 * The sentence on which the field stands: administrator keys are in no log, no error, no API answer, no table, no file.
 * Real keys are used in every way there is, refusals too; then everything that was written is searched for them.
 */
const pin = `P${randomBytes(12).toString('hex')}`;
const newPin = `Q${randomBytes(12).toString('hex')}`;
const imported = randomBytes(24);
const refused = randomBytes(24);
const answers: string[] = [];
const plainFetch = globalThis.fetch;

let system: TestSystem;
let device: Device;

beforeAll(async () => {
  system = await startTestSystem({ durable: true });
  device = await newDevice();
  globalThis.fetch = async (...call) => {
    const answer = await plainFetch(...call);
    answers.push(JSON.stringify([...answer.headers]), await answer.clone().text());
    return answer;
  };
}, 120_000);
afterAll(async () => {
  globalThis.fetch = plainFetch;
  await device?.remove();
  await system?.remove();
});

it('no administrator key and no PIN is in anything that was written', { timeout: 180_000 }, async () => {
  const said = await useKeysInEveryWay();
  const keys = await administratorKeys(system);
  const ofTpmCards = keys.filter(({ key }) => key.length === 32);
  expect(ofTpmCards.length).toBeGreaterThanOrEqual(2);
  expect(keys.some(({ key }) => key.equals(imported))).toBe(true);

  const wanted = [
    ...keys.map(({ cardId, key }) => ({ what: `the administrator key of card ${cardId}`, spellings: spellings(key) })),
    { what: 'a key that was refused', spellings: spellings(refused) },
    ...[pin, newPin].map((text) => ({ what: 'a PIN', spellings: [text, ...spellings(Buffer.from(text)).slice(0, 5)] })),
  ];
  // swtpm's state is the TPM: what is in there is where it belongs.
  const places = [...filesBelow(system.data.path), ...filesBelow(device.store)];
  expect(places.length).toBeGreaterThan(500);
  const texts = [
    ...places.map((file) => [file, readFileSync(file).toString('latin1')] as const),
    ...answers.map((answer, index) => [`API answer ${index}`, answer] as const),
    ...said.map((output, index) => [`output ${index} of the agent`, output] as const),
  ];
  const found = texts.flatMap(([place, text]) =>
    wanted
      .filter((one) => one.spellings.some((spelling) => text.includes(spelling)))
      .map(({ what }) => `${what}: ${place}`),
  );
  expect(found).toEqual([]);

  // The search itself finds what is there: the card's serial stands in clear in PostgreSQL's files and in the store.
  const [{ serial }] = await system.query("select serial from cards where kind = 'tpm' and state = 'active' limit 1");
  expect(texts.filter(([place, text]) => place.includes('postgres') && text.includes(serial))).not.toEqual([]);
});

async function useKeysInEveryWay(): Promise<string[]> {
  const card = await enrolledCard(system, device, pin);
  const derived = await registerPerson(system, 'Derived Key');
  const code = await enrolmentCode(system, derived.id, 'tpm-derived');
  const outputs = [
    await device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], { input: `${pin}\n` }),
    await device.agent(['sign', '--in', '/etc/hostname', '--out', '/dev/null', '--card', card.serial, '--pin-stdin'], {
      input: `${newPin}\n`,
    }),
    await device.agent(['change-pin', '--card', card.serial, '--pin-stdin'], { input: `${pin}\n${newPin}\n` }),
  ];
  expect(outputs.map(({ exitCode }) => exitCode === 0)).toEqual([true, false, true]);

  const serial = `OLD-${randomBytes(4).toString('hex').toUpperCase()}`;
  const officer = system.as('security-officer');
  const register = async (hex: string, sealedFor = serial) =>
    officer.post('/cards', {
      ...{ personId: card.person.id, serial, algorithm: 'tdes' },
      administratorKey: await sealKey(system, sealedFor, hex),
    });
  const clear = { personId: card.person.id, serial, algorithm: 'tdes', administratorKey: refused.toString('hex') };
  for (const failing of [
    await register(refused.toString('hex').slice(1)),
    await register(`${refused.toString('hex').slice(2)}zz`),
    await register(refused.toString('hex'), 'OLD-OTHER'),
    await officer.post('/cards', clear),
    await officer.post('/cards', { ...clear, [refused.toString('base64url')]: 1 }),
  ]) {
    expect(failing.status).toBeGreaterThanOrEqual(400);
  }
  const made = await register(imported.toString('hex'));
  expect(made.status).toBe(201);
  const session = await system.as('helpdesk').post(`/cards/${made.body.id}/unblock-sessions`, {
    verification: { method: 'in-person', evidence: 'passport, 1234' },
    reason: 'forgot the PIN',
  });
  const challenge = randomBytes(8).toString('hex');
  const answered = await system.as('helpdesk').post(`/unblock-sessions/${session.body.id}/responses`, { challenge });
  expect(answered.status).toBe(201);
  return outputs.flatMap(({ stdout, stderr }) => [stdout, stderr]);
}

function spellings(key: Buffer): string[] {
  const hex = key.toString('hex');
  const grouped = hex.replace(/(.{4})(?=.)/g, '$1 ');
  return [
    ...[hex, hex.toUpperCase(), grouped, grouped.toUpperCase()],
    ...[key.toString('base64').replace(/=+$/, ''), key.toString('base64url')],
    ...[key.toString('latin1'), [...key].join(','), JSON.stringify([...key]).slice(1, -1)],
  ];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
