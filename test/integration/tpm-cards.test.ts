import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolledCard, enrolmentCode, registerPerson } from '../support/people.ts';
import { refusalOf } from '../support/run.ts';
import { changePerson, tpmProfile } from '../support/software-cards.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { csr, expectStatus, rawDevice, refusal } from './cms/raw-device.ts';

/** Cards by profiles of an organisation's own, on a computer that several people share. */
const PIN = 'b3rgziege-7';
const RSA = { 2: 'rsa-2048', 9: 'rsa-3072' } as const;
/** Each of the kinds of certificates, several times. A volume's is for RSA keys alone. */
const USAGE: Readonly<Record<string, string>> = {
  'smart-card-sign-in': 'Digital Signature',
  'volume-encryption': 'Key Encipherment',
  'tls-client': 'Digital Signature',
  'smime-signature': 'Digital Signature, Non Repudiation',
  'smime-encryption': 'Key Agreement',
  'document-signature': 'Digital Signature, Non Repudiation',
  device: 'Digital Signature',
};
const EC_KINDS = Object.keys(USAGE).filter((kind) => kind !== 'volume-encryption');
const containers = Array.from({ length: 30 }, (_, at) => ({
  container: `key-${at}`,
  keyType: RSA[at as keyof typeof RSA] ?? (at % 2 === 0 ? 'ec-p256' : 'ec-p384'),
  certificateProfile: at in RSA ? 'volume-encryption' : (EC_KINDS[at % EC_KINDS.length] ?? ''),
  validitySeconds: 86_400,
}));

let system: TestSystem;
let device: Device;
beforeAll(async () => {
  system = await startTestSystem();
  device = await newDevice();
}, 120_000);
afterAll(async () => {
  await device?.remove();
  await system?.remove();
});

const profile = (changes: Record<string, unknown>) =>
  system.as('security-officer').post('/card-profiles', {
    name: 'tpm-wide',
    displayName: 'TPM card with many keys',
    algorithm: 'hmac-sha256',
    keyStrategy: 'random-stored',
    ...changes,
  });

const sign = (serial: string, container: string, pin: string) =>
  device.agent(
    [
      ...['sign', '--card', serial, '--container', container, '--pin-stdin'],
      ...['--in', '/proc/version', '--out', join(device.directory, 'signature')],
    ],
    { input: `${pin}\n` },
  );

describe('a profile for TPM cards', () => {
  it.each([
    ['card-profile-strategy', '/keyStrategy', { keyStrategy: 'uniform' }],
    ['card-profile-not-for-kind', '/puk', { puk: 'required' }],
    ['card-profile-not-for-kind', '/pinLimit', { algorithm: 'aes-256', pinLimit: 3 }],
    ['pin-policy-impossible', '/pinPolicy', { pinPolicy: { minLength: 9, maxLength: 8 } }],
    [
      'pin-policy-impossible',
      '/pinPolicy',
      { pinPolicy: { uppercase: 'disallowed', lowercase: 'disallowed', digits: 'disallowed', special: 'disallowed' } },
    ],
    ['card-profile-containers', '/containers/1/container', { containers: [containers[0], containers[0]] }],
  ])('%s, at %s', async (code, pointer, changes) => {
    const refused = await profile(changes);
    expect([refused.status, refused.body.code, refused.body.errors?.[0]?.pointer]).toEqual([422, code, pointer]);
  });

  it.each([
    ['/pinPolicy/minLength', { pinPolicy: { minLength: 3 } }],
    ['/pinPolicy/maxLength', { pinPolicy: { maxLength: 128 } }],
    ['/containers/0/keyType', { containers: [{ ...containers[0], keyType: 'rsa-1024' }] }],
    ['/containers', { containers: [...containers, { ...containers[0], container: 'one-more' }] }],
  ])('that can not be, at %s', async (pointer, changes) => {
    const refused = await profile(changes);
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
  });
});

describe('a card profile', () => {
  const key = { container: 'a', keyType: 'ec-p256', certificateProfile: 'tls-client' };
  it.each([
    ['certificateProfile', { certificateProfile: 'not-there' }],
    ['keyType', { certificateProfile: 'volume-encryption' }],
    ['validitySeconds', { certificateProfile: 'device', validitySeconds: 31_536_001 }],
  ])('refers to certificate profiles that there are, for keys that they take: /%s', async (field, change) => {
    const refused = await tpmProfile(system, 'wrong', { containers: [{ ...key, ...change }] });
    expect(refusal(refused)).toBe('422 card-profile-containers');
    expect(refused.body.errors[0].pointer).toBe(`/containers/0/${field}`);
  });

  it('changes what is done from now on, by one who has seen what was', async () => {
    const made = expectStatus(
      201,
      await tpmProfile(system, 'changing', { attestation: 'off', pinPolicy: { minLength: 8 } }),
    );
    expect(made.body.pinPolicy).toMatchObject({ minLength: 8, refuseCommon: true });
    const change = (body: Record<string, unknown>, etag: string, name = 'changing') => {
      const whole = { displayName: 'Changed', reason: 'For a test', ...body };
      return system.as('security-officer').put(`/card-profiles/${name}`, whole, { 'if-match': etag });
    };
    const etag = made.headers.get('etag') ?? '';
    const containers = [{ ...key, certificateProfile: 'device' }];
    const changed = expectStatus(200, await change({ containers, selfServiceUnblock: true }, etag));
    expect(changed.body).toMatchObject({ containers, selfServiceUnblock: true, attestation: 'preferred' });
    const read = (await system.as('auditor').get('/card-profiles/changing')).headers.get('etag');
    expect(read).toContain(changed.headers.get('etag')?.slice(0, -1));
    expect(refusal(await change({}, etag))).toBe('412 etag-stale');
    expect(refusal(await change({ containers: [{ ...key, certificateProfile: 'none' }] }, '*'))).toBe(
      '422 card-profile-containers',
    );
    expect(refusal(await change({ pinPolicy: { minLength: 9, maxLength: 8 } }, '*'))).toBe('422 pin-policy-impossible');
    expect(refusal(await change({}, '*', 'minidriver-aes'))).toBe('422 card-profile-not-for-kind');
    expect(refusal(await change({}, '*', 'not-there'))).toBe('404 not-found');
    const [event] = (await system.as('auditor').get('/audit/events?action=card-profile.changed&outcome=done')).body
      .items;
    expect(event.after).toMatchObject({ containers, selfServiceUnblock: true });
    expect(event.after.pinLimit).toBeUndefined();
  });

  it('that comes with the product refuses PINs that many people choose', async () => {
    const { body } = await system.as('security-officer').get('/card-profiles/tpm-default');
    expect(body.pinPolicy.refuseCommon).toBe(true);
    expect(body.containers).toEqual([
      { container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'smart-card-sign-in' },
    ]);
  });
});

describe('a card with thirty keys of every type', () => {
  let serial: string;

  it('is enrolled with a PIN by the policy of its profile, and by no other', async () => {
    const made = await profile({ pinPolicy: { minLength: 8, special: 'required' }, pinLimit: 3, containers });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    expect(made.body.pinPolicy).toMatchObject({ minLength: 8, special: 'required', refuseCommon: true });
    const person = await registerPerson(system, 'Wanda Wide');
    expectStatus(200, await changePerson(system, person.id, { email: 'wanda@corp.example' }));
    const code = await enrolmentCode(system, person.id, 'tpm-wide');
    const enrol = (pin: string) =>
      device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin', '--json'], { input: `${pin}\n` });
    for (const [pin, refusal] of [
      ['b3rg-7', 'pin-policy-too-short'],
      ['b3rgziege7', 'pin-policy-special-required'],
      ['password!', 'pin-policy-common'],
    ] as const) {
      expect(refusalOf(await enrol(pin)), pin).toBe(refusal);
    }
    const enrolled = await enrol(PIN);
    expect(refusalOf(enrolled), enrolled.stderr).toBeNull();
    ({ serial } = JSON.parse(enrolled.stdout));
  }, 120_000);

  it('has thirty certificates, here and at the server, each for a key of the type that was asked for', async () => {
    const listed = JSON.parse((await device.agent(['list', '--json'])).stdout).cards[0];
    expect(listed.keys.map(({ container }: { container: string }) => container)).toEqual(
      containers.map(({ container }) => container),
    );
    expect(new Set(listed.keys.map(({ serialNumber }: { serialNumber: string }) => serialNumber)).size).toBe(30);
    const { id } = (await system.as('helpdesk').get(`/cards?q=${serial}`)).body.items[0];
    const known = (await system.as('auditor').get(`/cards/${id}/certificates?limit=100`)).body.items;
    const serials = (items: { serialNumber: string }[]) => items.map(({ serialNumber }) => serialNumber).toSorted();
    expect(serials(known)).toEqual(serials(listed.keys));
    const stored = JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8')).cards[0].keys;
    for (const [at, { container, keyType, certificateProfile }] of containers.entries()) {
      const der = Buffer.from(stored[at].certificate, 'base64');
      // One of each type as a person has it printed: each print is a start of the agent.
      const printed = [0, 1, 2, 9].includes(at)
        ? (await device.agent(['certificate', '--container', container, '--no-chain'])).stdout
        : null;
      const pem = printed ?? der;
      expect(new X509Certificate(pem).raw.equals(der)).toBe(true);
      const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(
        new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' }),
      );
      const type =
        asymmetricKeyType === 'rsa' ? `rsa-${asymmetricKeyDetails?.modulusLength}` : asymmetricKeyDetails?.namedCurve;
      expect(type).toBe({ 'ec-p256': 'prime256v1', 'ec-p384': 'secp384r1' }[keyType as string] ?? keyType);
      const input = new X509Certificate(pem).toString();
      const usage = execFileSync('openssl', ['x509', '-noout', '-ext', 'keyUsage'], { input, encoding: 'utf8' });
      expect(usage.split('\n')[1]?.trim(), certificateProfile).toBe(USAGE[certificateProfile]);
    }
    // Far below what a store may have (8 MiB), so that a device may have several such cards.
    expect(statSync(join(device.store, 'store.json')).size).toBeLessThan(400_000);
  }, 120_000);

  it.each(['key-0', 'key-1', 'key-2', 'key-9', 'key-29'])('signs with %s', async (container) => {
    expect(refusalOf(await sign(serial, container, PIN))).toBeNull();
  });
});

it('a device that asks for an eleventh certificate in one container is refused', async () => {
  const raw = rawDevice(system);
  const person = await registerPerson(system, 'Greta Greedy');
  const begun = await raw.begin(await enrolmentCode(system, person.id));
  const ask = async () => {
    const answer = await begun.step('certificate-requests', { container: 'sign-in', csr: csr() });
    return `${answer.status} ${answer.body.code ?? 'issued'}`;
  };
  const answers: string[] = [];
  for (let i = 0; i < 11; i++) answers.push(await ask());
  expect(answers).toEqual([...Array<string>(10).fill('201 issued'), '409 certificate-limit-reached']);
}, 60_000);

describe('two people on one computer', () => {
  it('have PINs and tries of their own: the block of one card and its unblock leave the other alone', async () => {
    const shared = await newDevice();
    try {
      const one = await enrolledCard(system, shared, '618294', 'Olive One');
      const two = await enrolledCard(system, shared, '927356', 'Tom Two');
      const signs = async (serial: string, pin: string) =>
        refusalOf(
          await shared.agent(
            ['sign', '--card', serial, '--in', '/proc/version', '--out', join(shared.directory, 's'), '--pin-stdin'],
            { input: `${pin}\n` },
          ),
        );
      const tries = async () => {
        const { cards } = JSON.parse((await shared.agent(['status', '--json'])).stdout);
        return cards.map((card: { serial: string; triesLeft: number }) => [card.serial, card.triesLeft]);
      };
      expect(await signs(one.serial, '927356'), 'the other one’s PIN').toBe('pin-wrong');
      expect(await tries()).toEqual([
        [one.serial, 4],
        [two.serial, 5],
      ]);
      expect(await signs(two.serial, '000999')).toBe('pin-wrong');
      for (let left = 4; left > 0; left--) expect(await signs(one.serial, '000999')).toBe('pin-wrong');
      expect(await signs(one.serial, '618294')).toBe('card-blocked');
      expect(await tries()).toEqual([
        [one.serial, 0],
        [two.serial, 4],
      ]);
      const states = async () =>
        Promise.all(
          [one, two].map(async (card) => (await system.as('helpdesk').get(`/cards/${card.cardId}`)).body.state),
        );
      expect(await states()).toEqual(['blocked', 'active']);

      const answered = async (card: { cardId: string }, challenge: string) => {
        const helpdesk = system.as('helpdesk');
        const asked = { verification: { method: 'video', evidence: 'seen' }, reason: 'forgot it' };
        const session = await helpdesk.post(`/cards/${card.cardId}/unblock-sessions`, asked);
        return helpdesk.post(`/unblock-sessions/${session.body.id}/responses`, { challenge });
      };
      const unblock = await shared.startUnblock('334867', ['--card', one.serial]);
      expect((await answered(two, unblock.challenge)).body.code, 'asked for the other card').toBe(
        'challenge-for-another-card',
      );
      const right = await answered(one, unblock.challenge);
      expect(refusalOf(await unblock.finish(right.body.response))).toBeNull();
      expect(await tries()).toEqual([
        [one.serial, 5],
        [two.serial, 4],
      ]);
      expect([await signs(one.serial, '334867'), await signs(two.serial, '927356')]).toEqual([null, null]);
      expect(await states()).toEqual(['active', 'active']);
    } finally {
      await shared.remove();
    }
  }, 120_000);
});
