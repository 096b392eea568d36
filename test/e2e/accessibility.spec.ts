import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, newPin, openAs, readResponse, signIn, test, toChallenge } from './console.ts';

async function breaksNone(
  page: Page,
  what: string,
  colorScheme: 'light' | 'dark',
  rules: (axe: AxeBuilder) => AxeBuilder,
) {
  await page.emulateMedia({ colorScheme });
  const { violations } = await rules(new AxeBuilder({ page })).analyze();
  expect(violations.map(({ id, nodes }) => [what, colorScheme, id, nodes[0]?.html])).toEqual([]);
}

/** Breaks no rule of axe as it stands on the screen, light and dark, and fits a window of 1280 pixels at 200 %, and a phone. */
async function judge(page: Page, what: string): Promise<void> {
  // The other theme has other colours, and nothing else.
  await breaksNone(page, what, 'dark', (axe) => axe.withRules(['color-contrast']));
  await breaksNone(page, what, 'light', (axe) => axe);
  for (const width of [640, 360]) {
    await page.setViewportSize({ width, height: 800 });
    const beyond = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect([what, width, beyond]).toEqual([what, width, 0]);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

test.use({ reducedMotion: 'reduce' });

test('no page breaks a rule of axe, or overflows', async ({ page, system, card }) => {
  await page.goto(`${system.url}/`);
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await judge(page, 'sign-in');
  await signIn(page, system, 'security-officer');
  const { deviceId } = await (await page.request.get(`${system.url}/api/v1/cards/${card.cardId}`)).json();
  const certificates = await page.request.get(`${system.url}/api/v1/certificates?cardId=${card.cardId}`);
  const [certificate] = (await certificates.json()).items;
  const pages: [path: string, heading: string | RegExp][] = [
    [`/?q=${card.serial}`, 'Search'],
    ['/people/new', 'New person'],
    [`/people/${card.person.id}`, card.person.displayName],
    [`/cards/${card.cardId}`, card.serial],
    [`/devices/${deviceId}`, /./],
    [`/certificates/${certificate.id}`, 'About this certificate'],
    [`/certificates?cardId=${card.cardId}&status=active`, 'Certificates'],
    ['/card-profiles', 'Card profiles'],
    ['/card-profiles/new', 'New profile of TPM cards'],
    ['/card-profiles/tpm-default', 'Containers'],
    ['/certificate-profiles/new', 'New certificate profile'],
    ['/certificate-profiles/smart-card-sign-in', 'Versions'],
    ['/certificate-expiries', 'Ends of certificates'],
    ['/authorities', 'CAs'],
    ['/revocation-batches/new', 'Revoke many'],
    ['/operations', 'Operations'],
    ['/work-queue', 'Work queue'],
    ['/events', 'Events'],
    ['/nowhere', 'There is no such page'],
  ];
  for (const [path, heading] of pages) {
    await page.goto(`${system.url}${path}`);
    await expect(page.getByRole('heading', { name: heading }).first()).toBeVisible();
    await expect(page.getByText('Loading …')).toHaveCount(0);
    await judge(page, path);
  }
});

test('no step of the unblock wizard does', async ({ page, system, card }) => {
  const unblock = await card.device.startUnblock(newPin());
  await openAs(page, system, 'helpdesk', `/cards/${card.cardId}/unblock`);
  const step = (heading: string) => expect(page.getByRole('heading', { name: heading })).toBeVisible();
  const go = (name: string) => page.getByRole('button', { name, exact: true }).click();
  await step('Who is calling?');
  await judge(page, 'verify');
  await go('Continue');
  await expect(page.getByRole('alert').first()).toBeVisible();
  await judge(page, 'verify, refused');
  await toChallenge(page, 'in the wizard');
  await judge(page, 'challenge');
  await go('Continue');
  await page.getByLabel('Challenge line 2 of 3').fill('U');
  await expect(page.getByRole('alert')).toHaveCount(3);
  await judge(page, 'challenge, refused');
  await page.getByLabel('Challenge line 2 of 3').fill('');
  await page.getByLabel('Challenge line 1 of 3').fill(unblock.challenge.replaceAll('\n', ' '));
  await go('Continue');
  await step('Why is it unblocked?');
  await judge(page, 'reason');
  await page.getByLabel('Reason').fill('Looked at with axe');
  await go('Get response');
  await step('Read out the response');
  await judge(page, 'response');
  await go('Spoken alphabet');
  await judge(page, 'response, spoken');
  await go('QR code');
  await judge(page, 'response, as a QR code');
  expect(await readResponse(page)).not.toBe('');
  await go('The caller has typed it');
  await step('Did it work?');
  await judge(page, 'outcome');
  await go('It did not work');
  await step('Session closed');
  await judge(page, 'closed');
  expect((await unblock.finish('')).exitCode).not.toBe(0);
});

test('no dialog and no decision does', async ({ page, system, card }) => {
  const dialog = (name: string | RegExp) => page.getByRole('dialog', { name });
  const close = async () => {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  };
  await openAs(page, system, 'security-officer', `/cards/${card.cardId}`);
  await page.getByRole('button', { name: 'Retire' }).click();
  await dialog(/^Retire card/)
    .getByRole('button', { name: 'Retire card' })
    .click();
  await expect(page.getByRole('alert')).toHaveCount(1);
  await judge(page, 'retire');
  await close();
  await page.getByRole('button', { name: 'Change administrator key' }).click();
  await dialog(/^Change the administrator key/)
    .getByRole('button', { name: 'Change key' })
    .click();
  await expect(page.getByRole('alert')).toHaveCount(2);
  await judge(page, 'change of a key');
  await close();
  const { deviceId } = (await system.as('auditor').get(`/cards/${card.cardId}`)).body;
  await page.goto(`${system.url}/devices/${deviceId}`);
  await page.getByRole('button', { name: 'Handed over' }).click();
  await expect(dialog(/handed to another/).getByRole('region', { name: 'What will be done' })).toBeVisible();
  await judge(page, 'handed over');
  await close();
  await page.getByRole('button', { name: 'Send a message' }).click();
  await dialog(/^Message/)
    .getByRole('button', { name: 'Send message' })
    .click();
  await expect(page.getByRole('alert')).toHaveCount(1);
  await judge(page, 'message');
  await close();
  await page.goto(`${system.url}/cards/${card.cardId}`);
  await page.getByRole('table', { name: 'Certificates' }).getByRole('link').first().click();
  await page.getByRole('button', { name: 'Revoke' }).click();
  await dialog('Revoke this certificate?').getByRole('button', { name: 'Revoke certificate' }).click();
  await expect(page.getByRole('alert')).toHaveCount(2);
  await judge(page, 'revoke');
  await close();
  await page.goto(`${system.url}/people/${card.person.id}`);
  await page.getByRole('button', { name: 'Create enrolment code' }).click();
  await expect(page.getByRole('group', { name: 'Enrolment code' })).toBeVisible();
  await judge(page, 'enrolment code');
  await page.getByRole('button', { name: 'Hide code' }).click();
  await page.getByRole('button', { name: 'Cancel enrolment' }).click();
  await dialog('Cancel this enrolment?').getByRole('button', { name: 'Cancel enrolment' }).click();
  await expect(page.getByRole('alert')).toHaveCount(1);
  await judge(page, 'cancel enrolment');
  await dialog('Cancel this enrolment?').getByLabel('Reason').fill('Looked at with axe');
  await dialog('Cancel this enrolment?').getByRole('button', { name: 'Cancel enrolment' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Sign out' }).click();

  const online = await card.device.startOnlineUnblock(newPin());
  await openAs(page, system, 'helpdesk', `/devices/${deviceId}`);
  await page.getByRole('button', { name: 'Reset lockout' }).click();
  await dialog(/^Reset the lockout/)
    .getByRole('button', { name: 'Get response' })
    .click();
  await expect(page.getByRole('alert').first()).toBeVisible();
  await judge(page, 'lockout');
  await close();
  await page.goto(`${system.url}/work-queue`);
  await judge(page, 'work queue with a request');
  await page.getByRole('link', { name: 'Decide' }).click();
  await page.getByRole('button', { name: 'Approve' }).click();
  await expect(page.getByRole('alert')).toHaveCount(4);
  await judge(page, 'approval');
  await page.getByRole('button', { name: 'Refuse …' }).click();
  await dialog('Refuse this request?').getByRole('button', { name: 'Refuse request' }).click();
  await judge(page, 'refuse');
  await dialog('Refuse this request?').getByLabel('Reason').fill('Looked at with axe');
  await page.context().clearCookies();
  await dialog('Refuse this request?').getByRole('button', { name: 'Refuse request' }).click();
  await expect(dialog('Sign in again')).toBeVisible();
  await judge(page, 'sign in again');
  await signIn(page, system, 'helpdesk');
  await dialog('Refuse this request?').getByRole('button', { name: 'Refuse request' }).click();
  await expect(page.getByText('It was refused.')).toBeVisible();
  await judge(page, 'decided');
  expect((await online.ended).exitCode).not.toBe(0);
});
