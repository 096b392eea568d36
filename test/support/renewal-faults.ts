import { verify, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type CardAct, type HeldCard, opens, round } from './card-acts-faults.ts';
import { refusalOf } from './run.ts';
import type { TestSystem } from './system.ts';

const PROFILE = 'hourly';

/** A card profile whose certificates live for two hours, and are due in the second of them. */
export async function hourlyProfile(system: TestSystem): Promise<string> {
  const made = await system.as('security-officer').post('/card-profiles', {
    name: PROFILE,
    displayName: 'Certificates of two hours',
    algorithm: 'hmac-sha256',
    keyStrategy: 'random-stored',
    containers: [
      {
        container: 'sign-in',
        keyType: 'ec-p256',
        certificateProfile: 'smart-card-sign-in',
        validitySeconds: 7200,
        renewalDays: 1,
        renewalKey: 'same',
      },
    ],
  });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return PROFILE;
}

/** As the agent's service does it by itself. */
export const renewSameKey: CardAct = round;
/** As the card's holder does it. */
export const renewNewKey: CardAct = ({ device, serial, pin }, env) =>
  device.agent(['renew', '--card', serial, '--new-key', '--pin-stdin'], { input: `${pin}\n`, env });

interface StoredKey {
  readonly blob: string;
  readonly certificateId: string;
  readonly certificate: string;
}

function stored({ device }: HeldCard): { cards: [{ keys: [StoredKey] }]; renewals: unknown[] } {
  return JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
}

const certificatesOf = async ({ system, cardId }: HeldCard): Promise<{ id: string; status: string }[]> =>
  (await system.as('auditor').get(`/cards/${cardId}/certificates?limit=200`)).body.items;

/** What the card goes on with until it is renewed, and how many certificates it ever had. */
export interface BeforeRenewal {
  readonly key: StoredKey;
  readonly certificates: number;
}

/** Lets an hour and a half go by for the card's certificate, and a day since those before it were asked for. */
export async function makeDue(card: HeldCard): Promise<BeforeRenewal> {
  await card.system.query(
    `UPDATE certificates SET not_before = not_before - interval '90 minutes',
            not_after = not_after - interval '90 minutes', created_at = created_at - interval '25 hours'
      WHERE card_id = $1 AND status = 'active'`,
    [card.cardId],
  );
  return { key: stored(card).cards[0].keys[0], certificates: (await certificatesOf(card)).length };
}

/**
 * The card opens with its PIN straight after the death; the same command again renews. Then there is one certificate more,
 * the only one in force, which is the one that the card has and whose key it signs with.
 */
export async function isRenewed(
  card: HeldCard,
  act: CardAct,
  wanted: 'same' | 'new',
  before: BeforeRenewal,
): Promise<void> {
  expect(await opens(card, card.pin)).toBe('opens');
  const again = await act(card, {});
  expect(refusalOf(again), again.stderr + again.stdout).toBeNull();
  const { cards, renewals } = stored(card);
  const [key] = cards[0].keys;
  expect(renewals).toEqual([]);
  expect(key.certificateId).not.toBe(before.key.certificateId);
  expect(key.blob === before.key.blob).toBe(wanted === 'same');
  const all = await certificatesOf(card);
  expect(all.filter(({ status }) => status !== 'revoked')).toMatchObject([{ id: key.certificateId, status: 'active' }]);
  expect(all).toHaveLength(before.certificates + 1);
  expect(await opens(card, card.pin)).toBe('opens');
  const { publicKey } = new X509Certificate(Buffer.from(key.certificate, 'base64'));
  const signature = readFileSync(join(card.device.directory, 'signature'));
  expect(verify('sha256', readFileSync('/proc/version'), publicKey, signature)).toBe(true);
}
