import type { Page } from '@playwright/test';
import { expectStatus, newCode, rawDevice } from '../integration/cms/raw-device.ts';
import type { TestSystem } from '../support/system.ts';
import { expect, openAs, test } from './console.ts';

/** A card that a device without a TPM has: enough for what the console does with its certificate. */
async function newCard(system: TestSystem) {
  const { code, person } = await newCode(system);
  const { cardId, cardSerial, certificateId } = await rawDevice(system).enrol(code);
  const { device } = expectStatus(200, await system.as('auditor').get(`/cards/${cardId}`)).body;
  return { cardId, cardSerial, certificateId, personId: person.id, deviceId: device.id as string };
}

const dialog = (page: Page, name: string | RegExp) => page.getByRole('dialog', { name });
const closed = (page: Page) => expect(page.getByRole('dialog')).toHaveCount(0);

test('a certificate is put on hold, released and revoked, and its states stay on record', async ({ page, system }) => {
  const { certificateId, cardId } = await newCard(system);
  await openAs(page, system, 'security-officer', `/certificates/${certificateId}`);
  await expect(page.getByText('version 1', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Renew now' }).click();
  await dialog(page, 'Renew this certificate now?').getByLabel('Reason').fill('Name changed');
  await dialog(page, 'Renew this certificate now?').getByRole('button', { name: 'Renew certificate' }).click();
  await dialog(page, 'Renewal is asked for').getByRole('button', { name: 'Close' }).click();

  await page.getByRole('button', { name: 'Put on hold' }).click();
  await dialog(page, 'Put this certificate on hold?').getByLabel('Reason').fill('Laptop not found at home');
  await dialog(page, 'Put this certificate on hold?').getByRole('button', { name: 'Put on hold' }).click();
  await closed(page);
  await expect(page.getByRole('table', { name: 'Holds and releases' })).toContainText('Laptop not found at home');
  await page.getByRole('button', { name: 'Release' }).click();
  await dialog(page, 'Release this certificate?').getByLabel('Reason').fill('Found behind the sofa');
  await dialog(page, 'Release this certificate?').getByRole('button', { name: 'Release certificate' }).click();
  await closed(page);
  const released = new Date().toISOString();

  await page.getByRole('button', { name: 'Revoke' }).click();
  const revoke = dialog(page, 'Revoke this certificate?');
  await revoke.getByRole('radio', { name: 'Key compromised or lost' }).check({ force: true });
  await revoke.getByLabel('Comment').fill('Seen at a stranger');
  await revoke.getByLabel('Not to be trusted since').fill('2020-01-01T10:00');
  await revoke.getByRole('button', { name: 'Revoke certificate' }).click();
  await expect(revoke.getByRole('alert').first()).toBeVisible();
  await revoke.getByLabel('Not to be trusted since').fill('');
  await revoke.getByRole('button', { name: 'Revoke certificate' }).click();
  await closed(page);
  await expect(page.getByRole('region', { name: 'Revocation' })).toContainText('The CA has it since');
  const states = page.getByRole('table', { name: 'States' });
  for (const state of ['proposed', 'active', 'on-hold', 'revoked']) {
    await expect(states.locator(`[data-state="${state}"]`).first()).toBeVisible();
  }

  // What was when: the address alone says it.
  await page.goto(`${system.url}/certificates?cardId=${cardId}&asOf=${released}`);
  const list = page.getByRole('table', { name: 'Certificates' });
  await expect(list.locator('[data-state="active"]')).toHaveCount(1);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByLabel('Card id').fill(cardId);
  await page.getByRole('combobox', { name: 'Status' }).selectOption('revoked');
  await page.getByRole('button', { name: 'Apply filters' }).click();
  await expect(page).toHaveURL(/cardId=.*status=revoked|status=revoked.*cardId=/);
  await expect(list.locator('[data-state="revoked"]')).toHaveCount(1);
});

test('a stolen computer: all that follows is shown, done only as it was shown, and the code is shown once', async ({
  page,
  system,
}) => {
  const { deviceId, cardId, cardSerial, certificateId } = await newCard(system);
  await openAs(page, system, 'security-officer', `/devices/${deviceId}`);
  await page.getByRole('button', { name: 'Stolen, PIN known' }).click();
  const act = dialog(page, 'The computer was stolen, and the PIN is known');
  await expect(act.getByRole('region', { name: 'What will be done' })).toContainText(
    `${cardSerial}: Active → Compromised`,
  );
  await act.getByRole('button', { name: 'Do all of this' }).click();
  await expect(act.getByText('Say why: it goes on record.')).toBeVisible();

  // Somebody revokes the certificate meanwhile: what was shown is not what would be done.
  const why = { reason: 'keyCompromise', comment: 'Meanwhile' };
  expectStatus(201, await system.as('security-officer').post(`/certificates/${certificateId}/revocations`, why));
  await act.getByLabel('Reason').fill('Stolen from a car, the PIN on a note');
  await act.getByRole('button', { name: 'Do all of this' }).click();
  await expect(act.getByText('Something changed since you looked.')).toBeVisible();
  await expect(act.getByText('1 certificate is revoked')).toHaveCount(0);
  await act.getByRole('button', { name: 'Do all of this' }).click();

  const codes = dialog(page, 'Codes for the new cards');
  const code = ((await codes.getByRole('group', { name: 'Enrolment code' }).textContent()) ?? '').trim();
  expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/);
  await codes.getByRole('button', { name: 'Hide code' }).click();
  await expect(page.getByText(code)).toHaveCount(0);
  await dialog(page, 'It is done').getByRole('button', { name: 'Close' }).click();
  await closed(page);
  expect((await system.as('auditor').get(`/cards/${cardId}`)).body.state).toBe('compromised');
});

test('many are revoked by a plan that is looked at first', async ({ page, system }) => {
  const { certificateId } = await newCard(system);
  const { serialNumber } = (await system.as('auditor').get(`/certificates/${certificateId}`)).body;
  await openAs(page, system, 'security-officer', '/revocation-batches/new');
  await page.getByRole('button', { name: 'Show what would be revoked' }).click();
  await expect(page.getByText('Choose one of the results.')).toBeVisible();
  await page.getByRole('radio', { name: 'On a list' }).check({ force: true });
  await page.getByLabel('Take the list from a file').setInputFiles({
    name: 'serials.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`${serialNumber}\n00ffee\n`),
  });
  await expect(page.getByLabel('List', { exact: true })).toHaveValue(`${serialNumber}\n00ffee\n`);
  await page.getByRole('radio', { name: 'Replaced by another' }).check({ force: true });
  await page.getByLabel('Comment').fill('The list of the audit');
  await page.getByRole('button', { name: 'Show what would be revoked' }).click();

  await expect(page.getByRole('heading', { name: 'Revocation of many' })).toBeVisible();
  const items = page.getByRole('table', { name: 'Certificates' });
  await expect(items).toContainText(serialNumber);
  await expect(items.locator('[data-state="skipped"]')).toHaveCount(1);
  expect((await system.as('auditor').get(`/certificates/${certificateId}`)).body.status).toBe('active');
  await page.getByRole('button', { name: 'Revoke them now' }).click();
  await dialog(page, 'Revoke 1 certificate?').getByRole('button', { name: 'Revoke them' }).click();
  await expect(page.getByText('1 of 1 certificate revoked')).toBeVisible();
  await expect(items.locator('[data-state="done"]')).toHaveCount(1);
  expect((await system.as('auditor').get(`/certificates/${certificateId}`)).body.status).toBe('revoked');
});

test('who may not revoke is offered none of it', async ({ page, system, card }) => {
  await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
  await expect(page.getByRole('heading', { name: 'About this card' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'What happened?' })).toHaveCount(0);
  await page.getByRole('table', { name: 'Certificates' }).getByRole('link').first().click();
  await expect(page.getByRole('button', { name: 'Revoke' })).toBeDisabled();
  await expect(page.getByRole('button', { name: 'Put on hold' })).toHaveCount(0);
});
