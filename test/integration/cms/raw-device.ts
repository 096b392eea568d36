import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLines, packChallenge } from '@cardwright/protocol/challenge';
import type { Person } from '../../support/people.ts';
import { registerPerson } from '../../support/people.ts';
import { type Answer, type Rest, rest } from '../../support/rest.ts';
import type { TestSystem } from '../../support/system.ts';
import { type SoftParent, softParent } from '../vault/soft-parent.ts';

export const NV_INDEX = 0x01800000;

/**
 * A device without an agent and without a TPM: it says to the API what a test wants said, lies included. Its storage
 * key is one that the test can open, so that what the vault wrapped can be looked at.
 */
export interface RawDevice {
  readonly token: string;
  readonly api: Rest;
  readonly parent: SoftParent;
  claim(code: string, token?: string): Promise<Answer>;
  /** Claim, administrator key, first write. */
  begin(code: string): Promise<Begun>;
  /** All steps to a card in use. */
  enrol(code: string): Promise<Begun & { certificateId: string }>;
  /** One check-in; gives its answer's body. */
  checkIn(cards?: readonly CardReport[]): Promise<CheckIn>;
}

export interface CardReport {
  readonly cardId: string;
  readonly triesLeft: number;
  readonly blocked: boolean;
  readonly administratorKeyVersion?: number;
}

export interface CheckIn {
  readonly cards: readonly { readonly cardId: string; readonly state: string }[];
  readonly tasks: readonly { readonly taskId: string; readonly kind: string; readonly message: string | null }[];
  readonly nextCheckInSeconds: number;
}

export interface Begun {
  readonly enrolmentId: string;
  readonly cardId: string;
  readonly cardSerial: string;
  readonly keyVersion: number;
  /** Of the card; only a test could have it. */
  readonly administratorKey: Buffer;
  step(name: string, body: unknown): Promise<Answer>;
}

export function rawDevice(system: TestSystem): RawDevice {
  const token = randomBytes(32).toString('base64url');
  const api = rest(system.url, token);
  const parent = softParent();
  // TPM 2.0 part 1, section 16: the Name is the hash of the public area, which a size stands before.
  const storageKeyName = `000b${createHash('sha256').update(parent.public.subarray(2)).digest('hex')}`;

  const claim = (code: string, deviceToken = token) =>
    rest(system.url).post('/agent/enrolments/claims', {
      code,
      deviceToken,
      device: { hostName: 'lap-0421', platform: 'linux-x64', storageKeyName, tpm: null },
    });

  async function begin(code: string): Promise<Begun> {
    const claimed = expectStatus(200, await claim(code)).body;
    const step = (name: string, body: unknown) => api.post(`/agent/enrolments/${claimed.enrolmentId}/${name}`, body);
    const wrapped = expectStatus(
      201,
      await step('administrator-keys', { parentPublic: Buffer.from(parent.public).toString('base64') }),
    ).body;
    const { keyVersion } = wrapped;
    expectStatus(201, await step('first-writes', { keyVersion, nvIndex: NV_INDEX, nonce: nonce() }));
    const bytes = (name: string) => Buffer.from(wrapped[name], 'base64');
    const { key } = parent.unwrap({
      keyVersion,
      name: bytes('name'),
      public: bytes('public'),
      duplicate: bytes('duplicate'),
      inSymSeed: bytes('inSymSeed'),
    });
    return { ...claimed, keyVersion, administratorKey: key, step };
  }

  return {
    token,
    api,
    parent,
    claim,
    begin,
    async enrol(code) {
      const begun = await begin(code);
      const issued = await begun.step('certificate-requests', { container: 'sign-in', csr: csr() });
      const { certificateId } = expectStatus(201, issued).body;
      expectStatus(201, await begun.step('completions', { nvIndex: NV_INDEX }));
      return { ...begun, certificateId };
    },
    checkIn: async (cards = []) => expectStatus(200, await api.post('/agent/check-ins', { cards })).body,
  };
}

export const nonce = () => randomBytes(16).toString('base64');

export function expectStatus(status: number, answer: Answer): Answer {
  if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

/** `409 enrolment-code-used`: what a refusal is known by. */
export const refusal = (answer: Answer): string => `${answer.status} ${answer.body?.code}`;

/** A certification request by openssl, base64 of DER, with a new key each time. */
export function csr(key: 'ec-p256' | 'ec-p384' | 'rsa-2048' = 'ec-p256', subject = '/CN=Mallory'): string {
  const directory = mkdtempSync(join(tmpdir(), 'cardwright-csr-'));
  const file = join(directory, 'key.pem');
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    if (key === 'rsa-2048') openssl('genrsa', '-out', file, '2048');
    else openssl('ecparam', '-name', key === 'ec-p256' ? 'prime256v1' : 'secp384r1', '-genkey', '-noout', '-out', file);
    return openssl('req', '-new', '-key', file, '-subj', subject, '-outform', 'DER').toString('base64');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same request with one bit of its signature turned. */
export function withBadSignature(request: string): string {
  const der = Buffer.from(request, 'base64');
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  return der.toString('base64');
}

export interface TpmChallenge {
  readonly text: string;
  readonly resetNonce: Buffer;
  readonly writeNonce: Buffer;
}

/** A challenge as a TPM card would show it. */
export function tpmChallenge(cardSerial: string): TpmChallenge {
  const [resetNonce, writeNonce] = [randomBytes(16), randomBytes(16)];
  const cardTag = createHash('sha256').update(cardSerial).digest().subarray(0, 2);
  const text = encodeLines(packChallenge({ cardTag, resetNonce, writeNonce })).join('\n');
  return { text, resetNonce, writeNonce };
}

export async function newCode(
  system: TestSystem,
  person?: Person,
): Promise<{ person: Person; code: string; enrolmentId: string }> {
  const owner = person ?? (await registerPerson(system, 'Mary Major'));
  const made = expectStatus(201, await system.as('helpdesk').post('/enrolments', { personId: owner.id }));
  return { person: owner, code: made.body.code, enrolmentId: made.body.enrolment.id };
}
