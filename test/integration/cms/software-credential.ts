import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginDetachedJws, enrolmentProofStatement } from '@cardwright/protocol/enrolment';
import type { Person } from '../../support/people.ts';
import type { TestSystem } from '../../support/system.ts';
import { type Begun, expectStatus, NV_INDEX, type RawDevice, rawDevice } from './raw-device.ts';

/** A certificate whose key the test has, in a file. */
export interface Credential {
  readonly person: Person;
  readonly certificateId: string;
  readonly cardId: string;
  readonly cardSerial: string;
  readonly file: string;
  readonly der: Buffer;
}

const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });

export const certificateRequest = (card: Begun, csr: string, more: object = {}) =>
  card.step('certificate-requests', { container: 'sign-in', csr, ...more });
export const complete = (card: Begun) => card.step('completions', { nvIndex: NV_INDEX });

/** What a person's software credential does, with openssl; its files are in `directory`. */
export function softwareCredentials(directory: string) {
  /** A key, and a request for it. */
  function softwareKey(): { readonly file: string; readonly csr: string } {
    const file = join(directory, `${randomBytes(4).toString('hex')}.key`);
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file);
    return { file, csr: openssl('req', '-new', '-key', file, '-subj', '/CN=x', '-outform', 'DER').toString('base64') };
  }

  return {
    softwareKey,

    /** A card whose key the test has. */
    async credential(
      system: TestSystem,
      { person, code }: { person: Person; code: string },
      device: RawDevice = rawDevice(system),
    ): Promise<Credential> {
      const card = await device.begin(code);
      const key = softwareKey();
      const { body } = expectStatus(201, await certificateRequest(card, key.csr));
      expectStatus(201, await complete(card));
      const der = Buffer.from(body.certificate, 'base64');
      const { cardId, cardSerial } = card;
      return { person, certificateId: body.certificateId, cardId, cardSerial, file: key.file, der };
    },

    /** What is to be signed now for one request, with `change` of it. */
    async statementOf(card: Begun, csr: string, change: { nonce?: Uint8Array; container?: string } = {}) {
      const { nonce } = expectStatus(201, await card.step('proof-nonces', {})).body;
      return enrolmentProofStatement({
        ...{ enrolmentId: card.enrolmentId, cardSerial: card.cardSerial, container: 'sign-in' },
        nonce: Buffer.from(nonce, 'base64'),
        requestHash: createHash('sha256').update(Buffer.from(csr, 'base64')).digest(),
        ...change,
      });
    },

    jwsOf({ file, der }: Pick<Credential, 'file' | 'der'>, statement: Uint8Array): { jws: string } {
      const { input, finish } = beginDetachedJws('ES256', createHash('sha256').update(der).digest('hex'), statement);
      const key = createPrivateKey(readFileSync(file));
      return { jws: finish(sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })) };
    },

    cmsOf(
      { file, der }: Pick<Credential, 'file' | 'der'>,
      statement: Uint8Array,
      ...options: string[]
    ): { cms: string } {
      const [input, signer, pem] = ['statement', 'signer.der', 'signer.pem'].map((name) => join(directory, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(input, statement);
      writeFileSync(signer, der);
      openssl('x509', '-in', signer, '-inform', 'DER', '-out', pem);
      const signed = openssl(
        ...['cms', '-sign', '-binary', '-in', input, '-outform', 'DER', '-signer', pem, '-inkey', file, ...options],
      );
      return { cms: signed.toString('base64') };
    },
  };
}
