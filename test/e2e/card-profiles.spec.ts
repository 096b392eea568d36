import { expect, openAs, test } from './console.ts';

test('a profile of TPM cards is made, and its rules are changed', async ({ page, system }) => {
  await openAs(page, system, 'security-officer', '/card-profiles');
  await page.getByRole('link', { name: 'New profile of TPM cards' }).click();
  await expect(page.getByRole('heading', { name: 'New profile of TPM cards' })).toBeFocused();

  await page.getByRole('button', { name: 'Make profile' }).click();
  await expect(page.getByText('Enter the name.')).toBeVisible();
  await expect(page.getByText('Say how it is shown.')).toBeVisible();

  await page.getByLabel('Name', { exact: true }).fill('tpm-office');
  await page.getByLabel('Shown as').fill('Office cards');
  await page.getByRole('button', { name: 'Add a container' }).click();
  const second = page.getByRole('group', { name: 'Container 2' });
  await second.getByLabel('Container', { exact: true }).fill('signature');
  await second.getByLabel('Certificate profile').selectOption('smime-signature');
  await page.getByLabel('Shortest PIN').fill('12');
  await page.getByLabel('Longest PIN').fill('8');
  await page.getByRole('button', { name: 'Make profile' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'No PIN fits the policy' })).not.toHaveCount(0);
  await page.getByLabel('Longest PIN').fill('20');
  await page.getByRole('button', { name: 'Make profile' }).click();

  await expect(page.getByRole('heading', { name: 'Office cards' })).toBeVisible();
  await expect(page.getByRole('table', { name: 'Containers' })).toContainText('smime-signature');
  const made = (await system.as('auditor').get('/card-profiles/tpm-office')).body;
  expect(made).toMatchObject({
    selfServiceUnblock: false,
    pinPolicy: { minLength: 12, maxLength: 20, refuseCommon: true },
  });

  await page.getByRole('button', { name: 'Change rules' }).click();
  await page.getByRole('checkbox', { name: /With another card of the same person/ }).check({ force: true });
  await page.getByLabel('Digits').selectOption('required');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByText('Say why: it goes on record.')).toBeVisible();
  await page.getByLabel('Reason').fill('Policy of 2026');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByRole('button', { name: 'Change rules' })).toBeVisible();
  const changed = (await system.as('auditor').get('/card-profiles/tpm-office')).body;
  expect(changed).toEqual({ ...made, selfServiceUnblock: true, pinPolicy: { ...made.pinPolicy, digits: 'required' } });
});

test('what somebody else changed meanwhile is not overwritten', async ({ page, system }) => {
  const officer = system.as('security-officer');
  const name = 'tpm-shared';
  const strategy = { algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
  expect((await officer.post('/card-profiles', { name, displayName: 'Shared', ...strategy })).status).toBe(201);
  await openAs(page, system, 'security-officer', `/card-profiles/${name}`);
  await page.getByRole('button', { name: 'Change rules' }).click();
  const { headers } = await officer.get(`/card-profiles/${name}`);
  const theirs = { displayName: 'Theirs', reason: 'first' };
  const etag = headers.get('etag') ?? '';
  expect((await officer.put(`/card-profiles/${name}`, theirs, { 'if-match': etag })).status).toBe(200);

  await page.getByLabel('Shown as').fill('Mine');
  await page.getByLabel('Reason').fill('second');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByRole('alert').first()).toBeVisible();
  expect((await officer.get(`/card-profiles/${name}`)).body.displayName).toBe('Theirs');
  await expect(page.getByLabel('Shown as')).toHaveValue('Mine');
});

test('who may not make profiles reads them', async ({ page, system }) => {
  await openAs(page, system, 'helpdesk', '/card-profiles');
  await expect(page.getByRole('link', { name: 'New profile of TPM cards' })).toHaveCount(0);
  const name = (await system.as('auditor').get('/card-profiles')).body.items[0].displayName;
  await page.getByRole('link', { name }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Change rules' })).toHaveCount(0);
});
