import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { registerPerson } from '../support/people.ts';
import { sealKey } from '../support/seal-key.ts';
import type { TestSystem } from '../support/system.ts';
import { expect, openAs, test } from './console.ts';

/** A card from before Cardwright, registered as its fleet's profile wants it. */
async function oldCard(system: TestSystem, change: Record<string, unknown>): Promise<{ id: string; serial: string }> {
  const { id: personId } = await registerPerson(system, 'Vera Molnar');
  const made = await system.as('security-officer').post('/cards', { personId, ...change });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}
const newSerial = () => `VSC-${randomBytes(4).toString('hex').toUpperCase()}`;
const newKey = () => randomBytes(24).toString('hex');

async function askFor(page: Page, cause: string, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'Change administrator key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: cause }).check({ force: true });
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: 'Change key' }).click();
}

test('a TPM card’s key is changed as a precaution, not after suspicion, and one change at a time', async ({
  page,
  system,
  card,
}) => {
  await openAs(page, system, 'security-officer', `/cards/${card.cardId}`);
  await page.getByRole('button', { name: 'Change administrator key' }).click();
  const dialog = page.getByRole('dialog', { name: `Change the administrator key of card ${card.serial}?` });
  await expect(dialog).toContainText('the old key keeps its power for whoever has a copy of it');
  await dialog.getByRole('button', { name: 'Change key' }).click();
  await expect(dialog.getByText('Choose why the key is changed.')).toBeVisible();
  await expect(dialog.getByText('Say why: it goes on record.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toHaveCount(0);

  await askFor(page, 'After suspicion', 'A backup was stolen');
  await expect(dialog.getByRole('alert')).toContainText('Reissue this card');
  await expect(dialog.getByRole('alert')).toContainText('key-change-does-not-help');
  await dialog.getByRole('radio', { name: 'As a precaution' }).check({ force: true });
  await dialog.getByLabel('Reason').fill('Keys of last year are to go');
  await dialog.getByRole('button', { name: 'Change key' }).click();
  await expect(dialog).toHaveCount(0);

  const changes = page.getByRole('table', { name: 'Changes of the administrator key' });
  await expect(changes).toContainText('Waits for the device to check in');
  await expect(changes).toContainText('from 1');
  await expect(page.getByRole('button', { name: 'Change administrator key' })).toBeDisabled();
  await expect(page.getByText('A change of this card’s key is under way already.')).toBeVisible();
  const { deviceId } = (await system.as('auditor').get(`/cards/${card.cardId}`)).body;
  await page.goto(`${system.url}/devices/${deviceId}`);
  await expect(page.getByRole('table', { name: 'Tasks' })).toContainText('Change administrator key');
  await page.goBack();

  await changes.getByRole('button', { name: 'Cancel change' }).click();
  const cancel = page.getByRole('dialog', { name: 'Cancel this change?' });
  await cancel.getByLabel('Reason').fill('Asked for the wrong card');
  await cancel.getByRole('button', { name: 'Cancel change' }).click();
  await expect(changes).toContainText('Cancelled');
  await expect(page.getByRole('button', { name: 'Change administrator key' })).toBeEnabled();
});

test('who may not change a key is told so', async ({ page, system, card }) => {
  await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
  await expect(page.getByRole('button', { name: 'Change administrator key' })).toBeDisabled();
  await expect(page.getByText('Your role lacks the permission keys:change.')).toBeVisible();
});

test('a message waits for the device that it is for', async ({ page, system, card }) => {
  const { deviceId } = (await system.as('helpdesk').get(`/cards/${card.cardId}`)).body;
  await openAs(page, system, 'helpdesk', `/devices/${deviceId}`);
  await page.getByRole('button', { name: 'Send a message' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Send message' }).click();
  await expect(dialog.getByText('Write the message.')).toBeVisible();
  await dialog.getByLabel('Message').fill('Bring it to the desk on Friday');
  await dialog.getByRole('button', { name: 'Send message' }).click();
  await expect(page.getByRole('table', { name: 'Tasks' })).toContainText('Message: Bring it to the desk on Friday');
  await expect(page.getByRole('table', { name: 'Tasks' })).toContainText('Waits for the device to check in');
});

test('a card that is not taken over yet says so, and can’t be unblocked', async ({ page, system, card }) => {
  const { deviceId } = (await system.as('helpdesk').get(`/cards/${card.cardId}`)).body;
  const serial = newSerial();
  const administratorKey = await sealKey(system, serial, '010203040506070801020304050607080102030405060708');
  const waiting = await oldCard(system, { deviceId, serial, algorithm: 'tdes', administratorKey, takeOver: true });
  await openAs(page, system, 'helpdesk', `/cards/${waiting.id}`);
  await expect(page.getByRole('list', { name: 'Warnings' })).toContainText('Not taken over yet');
  await expect(page.getByRole('button', { name: 'Unblock' })).toBeDisabled();
  await expect(page.getByText('its device has to change the administrator key first', { exact: false })).toBeVisible();
  await expect(page.getByRole('table', { name: 'Changes of the administrator key' })).toContainText('Take-over');
});

test('a PUK is shown once, to who says why; and what is unsafe about a card’s key is on its page', async ({
  page,
  system,
}) => {
  const serial = newSerial();
  const puk = await sealKey(system, serial, '48213907', 'puk');
  const administratorKey = await sealKey(system, serial, newKey());
  const card = await oldCard(system, { serial, cardProfile: 'minidriver-tdes-puk', administratorKey, puk });
  await openAs(page, system, 'security-officer', `/cards/${card.id}`);
  await expect(page.getByRole('list', { name: 'Warnings' })).toContainText('NIST disallows encryption with TDES');
  await expect(page.getByRole('button', { name: 'Unblock' })).toBeDisabled();
  await page.getByRole('button', { name: 'Show PUK' }).click();
  const asked = page.getByRole('dialog', { name: `Show the PUK of card ${serial}?` });
  await asked.getByRole('button', { name: 'Show PUK' }).click();
  await expect(asked.getByText('Say why: it goes on record.')).toBeVisible();
  await asked.getByLabel('Reason').fill('The holder is abroad');
  await asked.getByLabel('Ticket').fill('INC-7');
  await asked.getByRole('button', { name: 'Show PUK' }).click();
  const shown = page.getByRole('dialog', { name: `PUK of card ${serial}` });
  await expect(shown).toContainText('48213907');
  await shown.getByRole('button', { name: 'Hide PUK' }).click();
  await expect(page.getByText('48213907')).toHaveCount(0);
  await expect(page.getByText('The PUK was shown already, and is shown once.')).toBeVisible();

  await system.query(`UPDATE cards SET key_strategy = 'uniform', named_key = 'campus' WHERE id = $1`, [card.id]);
  await page.reload();
  await expect(page.getByRole('list', { name: 'Warnings' })).toContainText(
    'Unsafe: many cards share this administrator key',
  );
  await page.getByRole('link', { name: 'Vera Molnar' }).first().click();
  await expect(page.getByRole('table', { name: 'Cards' })).toContainText('Unsafe: shares its key');
});
