import { newDevice } from '../support/device.ts';
import { enrolledCard } from '../support/people.ts';
import { expect, newPin, openAs, test } from './console.ts';

test('a lost card is reissued: its code is shown once, and the cards lead to each other', async ({ page, system }) => {
  const [lost, computer] = [await newDevice(), await newDevice()];
  try {
    const old = await enrolledCard(system, lost, newPin());
    await openAs(page, system, 'security-officer', `/cards/${old.cardId}`);
    await page.getByRole('button', { name: 'Reissue' }).click();
    const dialog = page.getByRole('dialog', { name: `Reissue card ${old.serial}?` });
    await dialog.getByRole('radio', { name: 'Is retired now' }).check({ force: true });
    await dialog.getByRole('radio', { name: 'It is lost, stolen or suspected' }).check({ force: true });
    await dialog.getByLabel('Reason').fill('Laptop stolen');
    await dialog.getByRole('button', { name: 'Reissue card' }).click();

    const shown = page.getByRole('dialog', { name: 'Code for the new card' });
    const code = ((await shown.getByRole('group', { name: 'Enrolment code' }).textContent()) ?? '').trim();
    expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/);
    await shown.getByRole('button', { name: 'Hide code' }).click();
    await expect(page.getByText(code)).toHaveCount(0);
    await expect(page.getByText('This card is being reissued already.')).toBeVisible();

    const made = await computer.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
      input: `${newPin()}\n`,
    });
    expect(made).toMatchObject({ exitCode: 0 });
    const { replacedBy } = (await system.as('auditor').get(`/cards/${old.cardId}`)).body;
    await page.reload();
    await page.getByRole('link', { name: replacedBy.serial }).click();
    await expect(page.getByRole('heading', { name: replacedBy.serial })).toBeVisible();
    await expect(page.getByRole('link', { name: old.serial })).toBeVisible();
  } finally {
    await lost.remove();
    await computer.remove();
  }
});

test('who may not retire cards lets the old one stay until it is replaced', async ({ page, system, card }) => {
  await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
  await page.getByRole('button', { name: 'Reissue' }).click();
  const dialog = page.getByRole('dialog', { name: `Reissue card ${card.serial}?` });
  await expect(dialog).toContainText('stays in use until the new one is active');
  await expect(dialog.getByRole('radio')).toHaveCount(0);
});
