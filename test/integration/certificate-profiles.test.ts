import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kdc, startKdc } from '../support/kdc.ts';
import { type Person, registerPerson } from '../support/people.ts';
import type { Answer } from '../support/rest.ts';
import {
  begunCard,
  changePerson,
  keyAndRequest,
  type SoftwareCertificate,
  softwareCertificate,
  tpmProfile,
} from '../support/software-cards.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { type Begun, expectStatus, NV_INDEX, refusal } from './cms/raw-device.ts';

/** What certificates say, from the profile to the servers that take them. */
const KINDS = [
  ['smart-card-sign-in', 'rsa-2048'],
  ['tls-client', 'ec-p256'],
  ['smime-signature', 'ec-p384'],
  ['smime-encryption', 'ec-p256'],
  ['document-signature', 'rsa-2048'],
  ['volume-encryption', 'rsa-2048'],
  ['device', 'ec-p256'],
] as const;
const SID = 'S-1-5-21-3623811015-3361044348-30300820-1013';

let system: TestSystem;
let folder: string;
beforeAll(async () => {
  system = await startTestSystem();
  folder = mkdtempSync(join(tmpdir(), 'cardwright-profiles-'));
}, 120_000);
afterAll(async () => {
  await system?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const officer = () => system.as('security-officer');
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const containers = KINDS.map(([kind, keyType]) => ({ container: kind, keyType, certificateProfile: kind }));
describe('a certificate of each profile that the product comes with', () => {
  const made = new Map<string, SoftwareCertificate>();
  let person: Person;

  beforeAll(async () => {
    person = await registerPerson(system, 'Mary Major');
    const named = { email: 'mary.major@corp.example', securityIdentifier: SID, organization: 'Corp' };
    expectStatus(200, await changePerson(system, person.id, named));
    expectStatus(201, await tpmProfile(system, 'all-kinds', { containers }));
    const card = await begunCard(system, person, 'all-kinds');
    for (const [kind, keyType] of KINDS) made.set(kind, await softwareCertificate(card, kind, keyType));
    expectStatus(201, await card.step('completions', { nvIndex: NV_INDEX }));
  }, 60_000);

  it.each(KINDS)('%s passes openssl and GnuTLS, and says what the preview said', async (kind) => {
    const { certificate, issuing, root } = made.get(kind) as SoftwareCertificate;
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [leaf, chain] = [file('leaf.pem', certificate), file('chain.pem', certificate + issuing + root)];
    const verified = ['-x509_strict', '-CAfile', file('root.pem', root), '-untrusted', file('issuing.pem', issuing)];
    expect(openssl('verify', ...verified, leaf)).toContain('leaf.pem: OK');
    const certtool = ['--verify', '--load-ca-certificate', join(folder, 'root.pem'), '--infile', chain];
    expect(execFileSync('certtool', certtool, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toContain(
      'Verified. The certificate is trusted.',
    );

    const profile = (await officer().get(`/certificate-profiles/${kind}`)).body;
    const { version: _version, createdAt: _at, createdBy: _by, ...contents } = profile;
    const preview = await officer().post('/certificate-profiles/previews', {
      profile: contents,
      personId: person.id,
      hostName: 'lap-0421',
    });
    const told = expectStatus(200, preview).body;
    const text = openssl('x509', '-in', leaf, '-noout', '-text', '-nameopt', 'RFC2253,sep_comma_plus_space');
    expect(text).toContain(`Subject: ${told.subject}\n`);
    const usages = { digitalSignature: 'Digital Signature', nonRepudiation: 'Non Repudiation' } as Record<
      string,
      string
    >;
    const words = { ...usages, keyEncipherment: 'Key Encipherment', keyAgreement: 'Key Agreement' } as Record<
      string,
      string
    >;
    const keyUsage = told.keyUsage[text.includes('rsaEncryption') ? 'rsa' : 'ec'].map((one: string) => words[one]);
    expect(text).toMatch(new RegExp(`Key Usage: critical\\n +${keyUsage.join(', ')}\\n`));
    const parsed = openssl('asn1parse', '-in', leaf);
    const names = /Subject Alternative Name[^:]*:\s*\n\s*(.*)/.exec(text)?.[1] ?? '';
    for (const name of told.subjectAltName) {
      const [type, value] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
      if (type === 'UPN') expect(names).toContain(`othername: UPN::${value}`);
      else if (type !== 'KRB5PrincipalName') expect(names).toContain(name);
    }
    expect(names.split(', ').filter((one) => one !== '')).toHaveLength(told.subjectAltName.length);
    expect(text.includes('1.3.6.1.4.1.311.25.2')).toBe(told.securityIdentifier !== null);
    expect(told.securityIdentifier).toBe(kind === 'smart-card-sign-in' ? SID : null);
    expect(parsed).not.toMatch(/Mallory|Administrator|root@corp/);
  });

  it('says what the request asked for in vain, there and in the log', async () => {
    const { id } = made.get('tls-client') as SoftwareCertificate;
    const shown = (await system.as('auditor').get(`/certificates/${id}`)).body;
    expect(shown).toMatchObject({ certificateProfile: 'tls-client', certificateProfileVersion: 1 });
    expect(shown.ignoredRequest).toEqual(['subject', 'extension 2.5.29.17']);
    const events = await system.as('auditor').get(`/audit/events?certificateId=${id}&action=certificate.issued`);
    expect(events.body.items[0].after.ignored).toEqual(shown.ignoredRequest);
  });

  it('stays as it is when its person gets another name, which says so', async () => {
    const before = made.get('smart-card-sign-in') as SoftwareCertificate;
    const changed = expectStatus(
      200,
      await changePerson(system, person.id, { displayName: 'Mary Minor', reason: 'Married' }),
    ).body;
    const all = KINDS.filter(([kind]) => kind !== 'device').map(([kind]) => made.get(kind)?.id);
    expect(changed.certificatesWithOtherNames.toSorted()).toEqual(all.toSorted());
    const { subject } = (await system.as('auditor').get(`/certificates/${before.id}`)).body;
    expect(subject).toBe('CN=Mary Major');
    const back = await changePerson(system, person.id, { displayName: 'Mary Major' });
    expect(back.body.certificatesWithOtherNames).toEqual([]);
    const gone = await changePerson(system, person.id, { email: null });
    const withEmail = KINDS.filter(([kind]) => kind !== 'device').map(([kind]) => made.get(kind)?.id);
    expect(gone.body.certificatesWithOtherNames.toSorted()).toEqual(withEmail.toSorted());
    const [event] = (await system.as('auditor').get(`/audit/events?personId=${person.id}&action=person.updated`)).body
      .items;
    expect(event).toMatchObject({ before: { email: 'mary.major@corp.example' }, after: { email: null } });
  });

  it('is not ordered for a person whose record lacks a name that it demands', async () => {
    const nameless = await registerPerson(system, 'Nora Nomail');
    const card = await begunCard(system, nameless, 'all-kinds');
    const { csr } = keyAndRequest('ec-p384');
    const asked = await card.step('certificate-requests', { container: 'smime-signature', csr });
    expect(refusal(asked)).toBe('422 certificate-name-missing');
    // Once it is there, the same request is good.
    expectStatus(200, await changePerson(system, nameless.id, { email: 'nora@corp.example' }));
    expectStatus(201, await card.step('certificate-requests', { container: 'smime-signature', csr }));
  });
});

describe('an order', () => {
  it('stands from when it was asked for, whatever the person is called when the CA is back', async () => {
    const [kept, lost] = [await registerPerson(system, 'Ada Again'), await registerPerson(system, 'Lea Lost')];
    const orders = await Promise.all(
      [kept, lost].map(async (person) => {
        const card = await begunCard(system, person, 'tpm-default');
        const { csr } = keyAndRequest('ec-p256');
        return () => card.step('certificate-requests', { container: 'sign-in', csr });
      }),
    );
    await system.processes.ca.kill();
    try {
      for (const ask of orders) expect(refusal(await ask())).toBe('503 ca-unavailable');
    } finally {
      await system.processes.ca.start();
    }
    // As one that was asked for before orders were stored.
    await system.query('UPDATE certificates SET ordered = NULL WHERE person_id = $1', [lost.id]);
    const subjects: string[] = [];
    for (const [at, person] of [kept, lost].entries()) {
      expectStatus(200, await changePerson(system, person.id, { displayName: `Anew ${at}` }));
      const issued = expectStatus(201, (await orders[at]?.()) as Answer).body;
      subjects.push((await system.as('auditor').get(`/certificates/${issued.certificateId}`)).body.subject);
    }
    expect(subjects).toEqual(['CN=Ada Again', 'CN=Anew 1']);
  });
});

describe('a certificate profile', () => {
  const contents = {
    displayName: 'Strong sign-in',
    keyTypes: ['ec-p384', 'rsa-2048'],
    validitySeconds: 86_400,
    names: {
      userPrincipalName: true,
      kerberosPrincipal: true,
      email: 'none',
      securityIdentifier: false,
      organization: true,
    },
  };
  const put = (name: string, body: Record<string, unknown>, etag?: string) =>
    officer().put(
      `/certificate-profiles/${name}`,
      { ...contents, reason: 'For a test', ...body },
      etag === undefined ? {} : { 'if-match': etag },
    );

  it('is saved in versions, each as it was, and the newest counts', async () => {
    const kind = 'smart-card-sign-in';
    const first = expectStatus(
      201,
      await officer().post('/certificate-profiles', { name: 'strong', kind, ...contents }),
    );
    expect(first.body).toMatchObject({ version: 1, authority: 'embedded', renewalKey: 'same', people: null });
    const again = await officer().post('/certificate-profiles', { name: 'strong', kind, ...contents });
    expect(refusal(again)).toBe('409 certificate-profile-exists');
    const person = await registerPerson(system, 'Vera Version');
    const short = { certificateProfile: 'strong', validitySeconds: 7200 };
    const keys = [
      { container: 'one', keyType: 'ec-p384', ...short },
      { container: 'two', keyType: 'ec-p384', certificateProfile: 'strong' },
    ];
    expectStatus(201, await tpmProfile(system, 'versioned', { containers: keys }));
    const card = await begunCard(system, person, 'versioned');
    const one = await softwareCertificate(card, 'one', 'ec-p384');

    const etag = first.headers.get('etag') ?? '';
    expect(refusal(await put('strong', {}))).toBe('428 etag-required');
    expect(refusal(await put('strong', {}, `W/${etag}`))).toBe('412 etag-stale');
    const second = expectStatus(200, await put('strong', { validitySeconds: 3600 }, etag));
    expect(second.body).toMatchObject({ version: 2, kind, validitySeconds: 3600 });
    expect(refusal(await put('strong', {}, etag))).toBe('412 etag-stale');
    expect(refusal(await put('strong-2', {}, '*'))).toBe('404 not-found');
    expect(refusal(await put('strong', { kind }, '*'))).toBe('400 field-unknown');
    expect(refusal(await put('strong', { keyTypes: ['rsa-2048'] }, '*'))).toBe('409 certificate-profile-in-use');
    const two = await softwareCertificate(card, 'two', 'ec-p384');

    const shown = async ({ id }: SoftwareCertificate) => (await system.as('auditor').get(`/certificates/${id}`)).body;
    const seconds = ({ certificate }: SoftwareCertificate) => {
      const { validFrom, validTo } = new X509Certificate(certificate);
      return (Date.parse(validTo) - Date.parse(validFrom)) / 1000;
    };
    // The CA dates back by five minutes.
    expect([(await shown(one)).certificateProfileVersion, seconds(one)]).toEqual([1, 7200 + 300]);
    expect([(await shown(two)).certificateProfileVersion, seconds(two)]).toEqual([2, 3600 + 300]);
    const listed: { name: string; version: number }[] = (await officer().get('/certificate-profiles')).body.items;
    expect(listed.filter(({ name }) => name === 'strong').map(({ version }) => version)).toEqual([2]);
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(KINDS.map(([kind]) => kind)));
    const { items } = (await system.as('auditor').get('/certificate-profiles/strong/versions')).body;
    expect(
      items.map((one: { version: number; validitySeconds: number }) => [one.version, one.validitySeconds]),
    ).toEqual([
      [2, 3600],
      [1, 86_400],
    ]);
    const events = (await system.as('auditor').get('/audit/events?action=certificate-profile.changed&outcome=done'))
      .body.items;
    expect(events[0]).toMatchObject({
      reason: 'For a test',
      before: { validitySeconds: 86_400, version: 1 },
      after: { validitySeconds: 3600, version: 2 },
    });
  });

  it('cannot be changed in place, whoever holds the database', async () => {
    for (const attack of [
      `UPDATE certificate_profiles SET validity_seconds = 3600 WHERE name = 'device'`,
      `DELETE FROM certificate_profiles WHERE name = 'device'`,
      'TRUNCATE certificate_profiles',
    ]) {
      await expect(system.query(attack)).rejects.toThrow('certificate_profiles is append-only');
    }
  });

  it('saved by two at once is saved by one', async () => {
    const etag = (await officer().get('/certificate-profiles/tls-client')).headers.get('etag') ?? '';
    const names = { ...contents.names, kerberosPrincipal: false };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => put('tls-client', { names, keyTypes: ['ec-p256'] }, etag)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
  });

  it('is for the people that it names', async () => {
    const names = { ...contents.names, organization: false };
    const people = { organizations: ['Corp'], domains: ['CORP.example'] };
    const body = { name: 'corp-only', kind: 'smart-card-sign-in', ...contents, names, people };
    expect(expectStatus(201, await officer().post('/certificate-profiles', body)).body.people.domains).toEqual([
      'corp.example',
    ]);
    const containers = [{ container: 'sign-in', keyType: 'ec-p384', certificateProfile: 'corp-only' }];
    expectStatus(201, await tpmProfile(system, 'corp-only', { containers }));
    const stranger = await registerPerson(system, 'Sten Stranger');
    const card = await begunCard(system, stranger, 'corp-only');
    const { csr } = keyAndRequest('ec-p384');
    const ask = () => card.step('certificate-requests', { container: 'sign-in', csr });
    expect(refusal(await ask())).toBe('422 certificate-not-for-person');
    const profile = { ...contents, name: 'x-1', kind: 'smart-card-sign-in', people };
    const preview = (personId: string) => officer().post('/certificate-profiles/previews', { profile, personId });
    expect(refusal(await preview(stranger.id))).toBe('422 certificate-not-for-person');
    expect(refusal(await preview('0199f2a0-1111-7000-8000-000000000001'))).toBe('422 person-unknown');
    expectStatus(200, await changePerson(system, stranger.id, { organization: 'Corp' }));
    expectStatus(201, await ask());
  });
});

describe('MIT Kerberos', () => {
  const REALM = 'CORP.EXAMPLE';
  let kdc: Kdc;
  let person: Person;
  let card: Begun;
  let made: SoftwareCertificate;

  beforeAll(async () => {
    person = await registerPerson(system, 'Kerry Kerberos');
    const { body } = await officer().get('/certificate-profiles/smart-card-sign-in');
    const { version: _version, createdAt: _at, createdBy: _by, ...contents } = body;
    const names = { ...contents.names, kerberosPrincipal: false };
    const upnOnly = { ...contents, name: 'upn-only', displayName: 'Sign-in by UPN', names };
    expectStatus(201, await officer().post('/certificate-profiles', upnOnly));
    expectStatus(
      201,
      await tpmProfile(system, 'for-kerberos', {
        containers: [
          { container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'smart-card-sign-in' },
          { container: 'rsa', keyType: 'rsa-2048', certificateProfile: 'smart-card-sign-in' },
          { container: 'tls', keyType: 'ec-p256', certificateProfile: 'tls-client' },
          { container: 'upn', keyType: 'ec-p256', certificateProfile: 'upn-only' },
        ],
      }),
    );
    card = await begunCard(system, person, 'for-kerberos');
    made = await softwareCertificate(card, 'sign-in', 'ec-p256');
    kdc = await startKdc(REALM, made);
    for (const name of [principalOf(person), 'kerry', 'victor']) kdc.addPrincipal(name.replace(/@.*/, ''));
  }, 60_000);
  afterAll(() => kdc?.stop());

  const principalOf = ({ userPrincipalName }: Person) => userPrincipalName.replace(/@.*/, `@${REALM}`);
  const refused = (words: string) => ({ granted: false, said: expect.stringContaining(words) });
  const crl = async () =>
    execFileSync('openssl', ['crl', '-inform', 'DER'], {
      input: Buffer.from(await (await fetch(`${system.url}/pki/issuing.crl`)).arrayBuffer()),
      encoding: 'utf8',
    });

  it('gives a ticket for a certificate of the sign-in profile, ECDSA and RSA, and to its own person alone', async () => {
    const rsa = await softwareCertificate(card, 'rsa', 'rsa-2048');
    for (const identity of [made, rsa]) {
      const asked = kdc.signIn(principalOf(person), identity);
      expect(asked.granted, asked.said).toBe(true);
    }
    expect(kdc.signIn(`victor@${REALM}`, made)).toEqual(refused('Client name mismatch'));
  });

  it('takes no certificate that was issued for another purpose', async () => {
    const tls = await softwareCertificate(card, 'tls', 'ec-p256');
    expect(kdc.signIn(principalOf(person), tls)).toEqual(refused('Inconsistent key purpose'));
  });

  it('maps a principal of its own, once the directory says it', async () => {
    const principal = `kerry@${REALM}`;
    expect(kdc.signIn(principal, made)).toEqual(refused('Client name mismatch'));
    expectStatus(200, await changePerson(system, person.id, { kerberosPrincipal: principal }));
    const own = await softwareCertificate(card, 'rsa', 'rsa-2048');
    const asked = kdc.signIn(principal, own);
    expect(asked.granted, asked.said).toBe(true);
    expect(kdc.signIn(principalOf(person), own)).toEqual(refused('Client name mismatch'));
  });

  it('does not find an account by a UPN alone: its realm is not in exact case', async () => {
    const upn = await softwareCertificate(card, 'upn', 'ec-p256');
    expect(kdc.signIn(principalOf(person), upn)).toEqual(refused('Client name mismatch'));
    await kdc.restart({ allowUpn: true });
    expect(kdc.signIn(principalOf(person), upn)).toEqual(refused('Client name mismatch'));
  });

  it('refuses it after it is revoked', async () => {
    await kdc.restart({ crl: await crl() });
    const before = kdc.signIn(principalOf(person), made);
    expect(before.granted, before.said).toBe(true);
    const revoked = { reason: 'keyCompromise', comment: 'Laptop stolen' };
    expectStatus(201, await officer().post(`/certificates/${made.id}/revocations`, revoked));
    await kdc.restart({ crl: await crl() });
    expect(kdc.signIn(principalOf(person), made)).toEqual(refused('Revoked certificate'));
  });

  it('refuses all, where it is to check CRLs and has none', async () => {
    const fresh = await softwareCertificate(card, 'sign-in', 'ec-p256');
    await kdc.restart({ requireCrl: true });
    expect(kdc.signIn(`kerry@${REALM}`, fresh)).toEqual(refused('Revocation status unknown'));
    await kdc.restart({ crl: await crl() });
    const asked = kdc.signIn(`kerry@${REALM}`, fresh);
    expect(asked.granted, asked.said).toBe(true);
  });
});
