import { expect, openAs, signIn, test } from './console.ts';

test.describe('signing in', () => {
  test('is asked of everybody, says what is wrong, and leads back to the page asked for', async ({
    page,
    system,
    card,
  }) => {
    await page.goto(`${system.url}/cards/${card.cardId}`);
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText(['Enter your user name.', 'Enter your password.']);
    await page.getByLabel('User name').fill('helpdesk');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toContainText('sign-in-failed');
    await expect(page.getByLabel('User name')).toHaveValue('helpdesk');
    await signIn(page, system, 'helpdesk');
    await expect(page.getByRole('heading', { name: card.serial })).toBeVisible();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  });

  test('does not lead to another site', async ({ page, system }) => {
    await openAs(page, system, 'helpdesk', '/sign-in?redirect=//example.com/');
    await expect(page).toHaveURL(`${system.url}/`);
  });

  test('by somebody else shows them nothing of what was open', async ({ page, system }) => {
    await openAs(page, system, 'helpdesk', '/people/new');
    await page.getByLabel('Name', { exact: true }).fill('Half typed');
    await page.getByLabel('User principal name').fill('half.typed@corp.example');
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Make person' }).click();
    await expect(page.getByRole('dialog', { name: 'Sign in again' })).toBeVisible();
    await signIn(page, system, 'security-officer');
    await expect(page.getByText('Security officer')).toBeVisible();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('');
  });
});

test.describe('finding', () => {
  test('finds by each of its words, and links the records both ways', async ({ page, system, card }) => {
    await openAs(page, system, 'helpdesk', '/');
    const box = page.getByLabel('Find a person, card, device or certificate');
    const results = page.getByRole('list', { name: 'Results' });
    await box.fill(card.person.userPrincipalName);
    await results.getByRole('link', { name: card.person.displayName }).first().click();
    await expect(page.getByRole('heading', { name: card.person.displayName })).toBeFocused();
    await page.getByRole('table', { name: 'Cards' }).getByRole('link', { name: card.serial }).click();
    await expect(page.getByRole('heading', { name: card.serial })).toBeFocused();
    await expect(page.getByRole('list', { name: 'Life cycle' })).toContainText('Requested');
    await page.getByRole('table', { name: 'Certificates' }).getByRole('link').first().click();
    await expect(page.getByRole('heading', { name: 'About this certificate' })).toBeVisible();
    const serialNumber = (
      await (await page.request.get(`${system.url}/api/v1/certificates?cardId=${card.cardId}`)).json()
    ).items[0].serialNumber;
    // from here the keyboard leads back to the search box, from every page
    await page.keyboard.press('/');
    await expect(box).toBeFocused();
    await page.keyboard.type(serialNumber);
    await expect(results.getByRole('link')).toHaveCount(1);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'About this certificate' })).toBeVisible();
    await page.keyboard.press('Control+k');
    await expect(box).toBeFocused();
    await box.fill('nobody of this name');
    await expect(page.getByRole('status')).toHaveText('Nothing is found for “nobody of this name”.');
    await page.reload();
    await expect(box).toHaveValue('nobody of this name');
  });
});

test.describe('enrolling', () => {
  test('makes a person and a code that is shown once, and cancels it', async ({ page, system }) => {
    await openAs(page, system, 'helpdesk', '/');
    await page.getByRole('link', { name: 'Make person' }).click();
    await page.getByRole('button', { name: 'Make person' }).click();
    await expect(page.getByRole('alert')).toHaveText(['Enter the name.', 'Enter the user principal name.']);
    await page.getByLabel('Name', { exact: true }).fill('Katherine Johnson');
    await page.getByLabel('User principal name').fill('katherine.johnson@corp.example');
    await page.getByRole('button', { name: 'Make person' }).click();
    await expect(page.getByRole('heading', { name: 'Katherine Johnson' })).toBeFocused();
    await page.getByRole('button', { name: 'Create enrolment code' }).click();
    await expect(page.getByRole('heading', { name: 'Enrolment code for Katherine Johnson' })).toBeFocused();
    const shown = (await page.getByRole('group', { name: 'Enrolment code' }).textContent()) ?? '';
    const code = shown.replace(/[^0-9A-Z]/g, '');
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{12}$/);
    await page.getByRole('button', { name: 'Hide code' }).click();
    await expect(page.getByRole('group', { name: 'Enrolment code' })).toHaveCount(0);
    await page.getByRole('button', { name: 'Cancel enrolment' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this enrolment?' });
    await dialog.getByLabel('Reason').fill('Made by mistake');
    await dialog.getByRole('button', { name: 'Cancel enrolment' }).click();
    await expect(page.getByRole('table', { name: 'Enrolments' })).toContainText('Cancelled');
  });
});

test.describe('revoking', () => {
  test('is not for the helpdesk: shown, disabled, with the reason', async ({ page, system, card }) => {
    await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
    await expect(page.getByRole('button', { name: 'Retire' })).toBeDisabled();
    await expect(page.getByText('Your role lacks the permission cards:retire.')).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Timeline' })).toHaveCount(0);
    await page.getByRole('table', { name: 'Certificates' }).getByRole('link').first().click();
    await expect(page.getByRole('button', { name: 'Revoke' })).toBeDisabled();
    await expect(page.getByText('Your role lacks the permission certificates:revoke.')).toBeVisible();
  });

  test('is done with a reason, and the device shows who and why', async ({ page, system, card }) => {
    await openAs(page, system, 'security-officer', `/cards/${card.cardId}`);
    await page.getByRole('table', { name: 'Certificates' }).getByRole('link').first().click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    const dialog = page.getByRole('dialog', { name: 'Revoke this certificate?' });
    await dialog.getByRole('button', { name: 'Revoke certificate' }).click();
    await expect(dialog.getByRole('alert')).toHaveCount(2);
    await dialog.getByRole('radio', { name: 'Key compromised or lost' }).check({ force: true });
    await dialog.getByLabel('Comment').fill('The laptop was left in a train');
    await dialog.getByLabel('Ticket').fill('INC-1002');
    await dialog.getByRole('button', { name: 'Revoke certificate' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByRole('heading', { name: 'Revocation' })).toBeVisible();
    await expect(page.getByText('The laptop was left in a train').first()).toBeVisible();
    await expect(page.getByRole('button', { name: 'Revoke' })).toBeDisabled();

    const { deviceId } = await (await page.request.get(`${system.url}/api/v1/cards/${card.cardId}`)).json();
    await page.goto(`${system.url}/devices/${deviceId}`);
    const row = page.getByRole('table', { name: 'Certificates' }).getByRole('row').nth(1);
    await expect(row).toContainText('Revoked');
    await expect(row).toContainText('by security-officer: Key compromised or lost');
    await expect(page.getByRole('list', { name: 'Timeline' })).toContainText('certificate revoked');
  });
});

test.describe('the auditor', () => {
  test('sees everything of a card, and filters events in the address', async ({ page, system, card }) => {
    await openAs(page, system, 'auditor', `/cards/${card.cardId}`);
    await page.getByRole('link', { name: 'Open in the explorer' }).click();
    await expect(page.getByRole('heading', { name: 'Events' })).toBeFocused();
    await expect(page).toHaveURL(new RegExp(`cardId=${card.cardId}`));
    await page.getByLabel('Action').fill('certificate.issued');
    await page.getByRole('button', { name: 'Apply filters' }).click();
    const events = page.getByRole('list', { name: 'Events' });
    await expect(events.getByRole('listitem')).toHaveCount(1);
    await expect(page).toHaveURL(/action=certificate.issued/);
    await page.reload();
    await expect(events.getByRole('listitem')).toHaveCount(1);
    await events.getByText('certificate issued').click();
    await expect(events.getByRole('link', { name: card.cardId })).toBeVisible();
    await page.goBack();
    await expect(page.getByLabel('Action')).toHaveValue('');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect(page).toHaveURL(`${system.url}/events`);
    await expect(page.getByRole('link', { name: 'Make person' })).toHaveCount(0);
  });
});
