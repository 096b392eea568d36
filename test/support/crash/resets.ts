import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Device } from '../device.ts';
import { refusalOf, run } from '../run.ts';
import type { TestSystem } from '../system.ts';

const VERIFICATION = { method: 'video', evidence: 'seen on video, matches the photo on record' };

/** A response of cms, and through it of the vault, to that challenge for that card. */
export async function responseOf(system: TestSystem, cardId: string, challenge: string): Promise<string> {
  const helpdesk = system.as('helpdesk');
  const asked = { verification: VERIFICATION, reason: 'forgot the PIN' };
  const session = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, asked);
  expect(session.status, JSON.stringify(session.body)).toBe(201);
  const answer = await helpdesk.post(`/unblock-sessions/${session.body.id}/responses`, { challenge });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.response;
}

/** The person has forgotten the PIN: challenge and response set a new one in the TPM, and the card signs with it. */
export async function pinIsReset(system: TestSystem, device: Device, cardId: string): Promise<void> {
  const pin = `7${randomBytes(4).toString('hex')}x`;
  const unblock = await device.startUnblock(pin);
  const ran = await unblock.finish(await responseOf(system, cardId, unblock.challenge));
  expect(refusalOf(ran), ran.stderr).toBeNull();
  const sign = ['sign', '--in', '/proc/version', '--out', join(device.directory, 'signature'), '--pin-stdin'];
  const signed = await device.agent(sign, { input: `${pin}\n` });
  expect(refusalOf(signed), signed.stderr).toBeNull();
}

export interface KnownKey {
  readonly cardId: string;
  readonly algorithm: 'tdes' | 'aes-128' | 'aes-192' | 'aes-256';
  readonly key: Buffer;
}

/** The answer to a random challenge is what openssl computes with that key. */
export async function answersAsOpenssl(system: TestSystem, { cardId, algorithm, key }: KnownKey): Promise<void> {
  const challenge = randomBytes(algorithm === 'tdes' ? 8 : 16).toString('hex');
  const response = await responseOf(system, cardId, challenge);
  expect(response.replaceAll(/\s/g, '').toLowerCase()).toBe(await byOpenssl(algorithm, key, challenge));
}

async function byOpenssl(algorithm: KnownKey['algorithm'], key: Buffer, challenge: string): Promise<string> {
  const cipher = algorithm === 'tdes' ? '-des-ede3' : `-${algorithm}-ecb`;
  const shell = `printf %s "$CHALLENGE" | xxd -r -p | openssl enc ${cipher} -nopad -K "$KEY" | xxd -p`;
  const ran = await run('sh', ['-c', shell], { env: { CHALLENGE: challenge, KEY: key.toString('hex') } });
  expect(ran.exitCode, ran.stderr).toBe(0);
  return ran.stdout.trim();
}
