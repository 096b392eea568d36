import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Begun, expectStatus, rawDevice } from '../integration/cms/raw-device.ts';
import { enrolmentCode, type Person } from './people.ts';
import type { Answer } from './rest.ts';
import type { TestSystem } from './system.ts';

/** A certificate of ours, and its key where a test can use it. All PEM. */
export interface SoftwareCertificate {
  readonly id: string;
  readonly key: string;
  readonly certificate: string;
  readonly issuing: string;
  readonly root: string;
}

export type SoftwareKeyType = 'rsa-2048' | 'ec-p256' | 'ec-p384';
const KEYS: Readonly<Record<SoftwareKeyType, readonly string[]>> = {
  'rsa-2048': ['rsa:2048'],
  'ec-p256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ec-p384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
};

/** A software key and its request (base64 of DER), which asks for names that nobody is to get. */
export function keyAndRequest(keyType: SoftwareKeyType): { key: string; csr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-key-'));
  const file = join(folder, 'key.pem');
  const wishes = ['-subj', '/CN=Administrator/O=Mallory', '-addext', 'subjectAltName=email:root@corp.example'];
  const args = ['req', '-new', '-nodes', '-newkey', ...KEYS[keyType], '-keyout', file, '-outform', 'DER', ...wishes];
  try {
    const csr = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString('base64');
    return { key: readFileSync(file, 'utf8'), csr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A card of the person's by that card profile, as far as that certificates can be asked for. */
export async function begunCard(system: TestSystem, person: Person, cardProfile: string): Promise<Begun> {
  return rawDevice(system).begin(await enrolmentCode(system, person.id, cardProfile));
}

export async function softwareCertificate(
  card: Begun,
  container: string,
  keyType: SoftwareKeyType,
): Promise<SoftwareCertificate> {
  const { key, csr } = keyAndRequest(keyType);
  const answer = expectStatus(201, await card.step('certificate-requests', { container, csr }));
  const { certificateId, certificate, chain } = answer.body;
  return { id: certificateId, key, certificate: pem(certificate), issuing: pem(chain[0]), root: pem(chain[1]) };
}

const pem = (der: string): string => new X509Certificate(Buffer.from(der, 'base64')).toString();

/** Makes a profile of TPM cards with these rules. */
export function tpmProfile(system: TestSystem, name: string, rules: Record<string, unknown>): Promise<Answer> {
  const usual = { displayName: 'For a test', algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
  return system.as('security-officer').post('/card-profiles', { name, ...usual, ...rules });
}

/** Writes what the directory says of a person, as one who has just read it. */
export async function changePerson(
  system: TestSystem,
  personId: string,
  change: Record<string, unknown>,
): Promise<Answer> {
  const officer = system.as('security-officer');
  const etag = (await officer.get(`/people/${personId}`)).headers.get('etag') ?? '';
  return officer.patch(`/people/${personId}`, change, { 'if-match': etag });
}
