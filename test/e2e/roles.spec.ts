import { registerPerson } from '../support/people.ts';
import { expect, newPin, openAs, test } from './console.ts';

test.describe('who may not', () => {
  test('unblock is told so on the card, in the wizard and at a request, and offered no way in', async ({
    page,
    system,
    card,
  }) => {
    const online = await card.device.startOnlineUnblock(newPin());
    await openAs(page, system, 'auditor', `/cards/${card.cardId}`);
    await expect(page.getByRole('button', { name: 'Unblock' })).toBeDisabled();
    await expect(page.getByText('Your role lacks the permission unblock:perform.')).toBeVisible();
    await expect(page.getByRole('link', { name: 'Decide' })).toHaveCount(0);
    await page.getByRole('link', { name: 'See', exact: true }).click();
    await expect(page.getByText('Your role may not.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Approve' })).toHaveCount(0);
    await page.goto(`${system.url}/cards/${card.cardId}/unblock`);
    await expect(page.getByText('Your role lacks the permission unblock:perform.')).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Who is calling?' })).toHaveCount(0);

    const [session] = (await system.as('helpdesk').get(`/cards/${card.cardId}/unblock-sessions?limit=1`)).body.items;
    await system.as('helpdesk').post(`/unblock-sessions/${session.id}/refusals`, { reason: 'Only a test of roles' });
    expect((await online.ended).exitCode).not.toBe(0);
  });

  test('enrol sees enrolments, and neither makes nor cancels one', async ({ page, system }) => {
    const person = await registerPerson(system, 'Karen Jones');
    await system.as('helpdesk').post('/enrolments', { personId: person.id });
    await openAs(page, system, 'auditor', `/people/${person.id}`);
    await expect(page.getByRole('table', { name: 'Enrolments' })).toContainText('Open');
    await expect(page.getByRole('button', { name: 'Create enrolment code' })).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Cancel enrolment' })).toHaveCount(0);
    await page.goto(`${system.url}/people/new`);
    await page.getByLabel('Name', { exact: true }).fill('Nobody Allowed');
    await page.getByLabel('User principal name').fill('nobody.allowed@corp.example');
    await page.getByRole('button', { name: 'Make person' }).click();
    await expect(page.getByRole('alert')).toContainText('permission-missing');
  });

  test('read the log is not shown the way to it, and gets nothing by its address', async ({ page, system }) => {
    await openAs(page, system, 'helpdesk', '/events');
    await expect(page.getByRole('link', { name: 'Events' })).toHaveCount(0);
    await expect(page.getByRole('alert')).toContainText('permission-missing');
  });
});

test('a long list is read on where it ended, without a row lost or doubled', async ({ page, system }) => {
  const person = await registerPerson(system, 'Rozsa Peter');
  for (let n = 0; n < 27; n++) await system.as('helpdesk').post('/enrolments', { personId: person.id });
  await openAs(page, system, 'helpdesk', `/people/${person.id}`);
  const rows = page.getByRole('table', { name: 'Enrolments' }).getByRole('row');
  await expect(rows).toHaveCount(1 + 25);
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(rows).toHaveCount(1 + 27);
  await expect(page.getByRole('button', { name: 'Load more' })).toHaveCount(0);
});
