import { expect, openAs, test } from './console.ts';

test('a certificate profile is made, shown for a person, and changed without overwriting another', async ({
  page,
  system,
  card,
}) => {
  await openAs(page, system, 'security-officer', '/certificate-profiles');
  await page.getByRole('link', { name: 'New certificate profile' }).click();
  await page.getByRole('button', { name: 'Make profile' }).click();
  await expect(page.getByText('Enter the name.')).toBeVisible();
  await page.getByLabel('Name', { exact: true }).fill('mail-strong');
  await page.getByLabel('Shown as').fill('Strong mail');
  await page.getByLabel('Purpose').selectOption('smime-signature');
  await expect(page.getByRole('checkbox', { name: /Kerberos principal/ })).toHaveCount(0);
  await page.getByLabel('Valid for, in days').fill('long');
  await page.getByRole('button', { name: 'Make profile' }).click();
  await expect(page.getByText('Enter a number of days.')).toBeVisible();
  await page.getByLabel('Valid for, in days').fill('90');
  await page.getByRole('button', { name: 'Make profile' }).click();
  await expect(page.getByRole('heading', { name: 'Strong mail' })).toBeVisible();

  // The person has no mail address, and the profile says that there is none without one.
  await page.getByRole('textbox', { name: 'Person' }).fill(card.person.userPrincipalName);
  await page.getByRole('button', { name: `Choose ${card.person.displayName}` }).click();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.getByRole('alert')).toBeVisible();

  const officer = system.as('security-officer');
  const { body, headers } = await officer.get('/certificate-profiles/mail-strong');
  expect(body).toMatchObject({ version: 1, validitySeconds: 90 * 86_400, names: { email: 'required' } });
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  const { displayName, keyTypes, validitySeconds, names } = body;
  const theirs = { displayName: `${displayName}er`, keyTypes, validitySeconds, names, reason: 'first' };
  const etag = { 'if-match': headers.get('etag') ?? '' };
  expect((await officer.put('/certificate-profiles/mail-strong', theirs, etag)).status).toBe(200);
  await page.getByLabel('Valid for, in days').fill('60');
  await page.getByLabel('Reason').fill('second');
  await page.getByRole('button', { name: 'Save new version' }).click();
  await expect(page.getByRole('alert').first()).toBeVisible();
  expect((await officer.get('/certificate-profiles/mail-strong')).body.version).toBe(2);

  await page.reload();
  await expect(page.getByRole('heading', { name: 'Strong mailer' })).toBeVisible();
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await page.getByLabel('Valid for, in days').fill('60');
  await page.getByLabel('Reason').fill('second');
  await page.getByRole('button', { name: 'Save new version' }).click();
  await expect(page.getByRole('table', { name: 'Versions' }).getByRole('row')).toHaveCount(4);
});

test('ends by month, the CAs and what waits for them are there to be read', async ({ page, system, card }) => {
  await openAs(page, system, 'auditor', '/certificate-expiries');
  const months = page.getByRole('table', { name: 'Ends of certificates' });
  await expect(months).toContainText('smart-card-sign-in: ');
  await months.getByRole('link').last().click();
  await expect(page.getByRole('table', { name: 'Certificates' })).toContainText(card.serial);
  await page.goto(`${system.url}/authorities`);
  await expect(page.getByRole('table', { name: 'CAs' })).toContainText('embedded');
  await expect(page.getByRole('button', { name: 'Key compromised' })).toHaveCount(0);
  await page.goto(`${system.url}/work-queue`);
  await expect(page.getByRole('region', { name: 'Revocations that wait for a CA' })).toContainText(
    'Every CA has heard of every revocation.',
  );
});

test('when the key of a CA is in other hands, all that it issued is shown before it is revoked', async ({
  page,
  system,
  card,
}) => {
  const held = (await system.as('auditor').get(`/certificates?cardId=${card.cardId}`)).body.items[0];
  await openAs(page, system, 'security-officer', '/authorities');
  await page.getByRole('button', { name: 'Key compromised' }).click();
  const dialog = page.getByRole('dialog', { name: 'The key of the CA embedded is in other hands' });
  await dialog.getByLabel('Reason').fill('The signing host was broken into');
  await dialog.getByRole('button', { name: 'Show what would be revoked' }).click();
  await expect(dialog.getByRole('button', { name: 'Revoke all of them' })).toBeEnabled();
  await dialog.getByRole('link', { name: 'Look at all of them' }).click();
  await expect(page.getByRole('heading', { name: 'Revocation of many' })).toBeVisible();
  await expect(page.getByText('of the CA embedded')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Certificates' })).toContainText(held.serialNumber);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('Looked at only');
  await page.getByRole('dialog').getByRole('button', { name: 'Stop operation' }).click();
  await expect(page.getByText('Cancelled')).toBeVisible();
  expect((await system.as('auditor').get(`/certificates/${held.id}`)).body.status).toBe(held.status);
});
