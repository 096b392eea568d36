import { createCipheriv, randomBytes } from 'node:crypto';
import { registerPerson } from '../support/people.ts';
import { sealKey } from '../support/seal-key.ts';
import type { TestSystem } from '../support/system.ts';
import { expect, openAs, readResponse, test, toChallenge } from './console.ts';

const KEY = randomBytes(24);

/** A card from before Cardwright, taken under management with the key that its maker knows. */
async function oldCard(system: TestSystem, displayName: string): Promise<{ id: string; serial: string }> {
  const { id: personId } = await registerPerson(system, displayName);
  const serial = `VSC-${randomBytes(4).toString('hex').toUpperCase()}`;
  const administratorKey = await sealKey(system, serial, KEY.toString('hex'));
  const body = { personId, serial, algorithm: 'tdes', administratorKey };
  const made = await system.as('security-officer').post('/cards', body);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}

/** What the card itself expects: its challenge, encrypted with its key. */
function expected(challenge: string): string {
  const cipher = createCipheriv('des-ede3-ecb', KEY, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.from(challenge, 'hex')), cipher.final()])
    .toString('hex')
    .toUpperCase();
}

test('a card that shows its challenge in hex gets the response of its own key', async ({ page, system }) => {
  const card = await oldCard(system, 'Vera Molnar');
  const challenge = randomBytes(8).toString('hex');
  await openAs(page, system, 'helpdesk', `/cards/${card.id}`);
  await toChallenge(page);
  const field = page.getByLabel('Challenge', { exact: true });
  await field.fill(`${challenge.slice(0, 14)}g`);
  await expect(page.getByRole('alert')).toHaveCount(1);
  await field.fill(challenge.slice(0, 14));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('alert')).toHaveCount(1);
  await expect(page.getByRole('heading', { name: 'Type the challenge' })).toBeVisible();
  await field.fill(challenge.toUpperCase());
  await expect(page.getByText('✓ Right')).toHaveCount(1);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Reason').fill('Forgot the PIN');
  await page.getByRole('button', { name: 'Get response' }).click();
  await expect(page.getByRole('heading', { name: 'Read out the response' })).toBeFocused();
  expect((await readResponse(page)).replace(/\s/g, '')).toBe(expected(challenge));
  await page.getByRole('button', { name: 'The caller has typed it' }).click();
  await page.getByRole('button', { name: 'It worked' }).click();
  await expect(page.getByRole('heading', { name: 'Card unblocked' })).toBeVisible();
});

test('the same challenge is not answered twice', async ({ page, system }) => {
  const card = await oldCard(system, 'Lillian Schwartz');
  const challenge = randomBytes(8).toString('hex');
  await openAs(page, system, 'helpdesk', `/cards/${card.id}`);
  for (const time of ['first', 'second']) {
    await toChallenge(page);
    await page.getByLabel('Challenge', { exact: true }).fill(challenge);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Reason').fill('Forgot the PIN');
    await page.getByRole('button', { name: 'Get response' }).click();
    if (time === 'second') break;
    await page.getByRole('button', { name: 'The caller has typed it' }).click();
    await page.getByRole('button', { name: 'It did not work' }).click();
    await page.getByRole('link', { name: 'To the card' }).click();
  }
  await expect(page.getByRole('alert')).toContainText('challenge-already-answered');
  await expect(page.getByRole('list', { name: 'Response' })).toHaveCount(0);
});
