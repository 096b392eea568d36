import { EVIDENCE, expect, openAs, readResponse, test } from './console.ts';

test('what a device found of itself stands on its page, what is wrong first', async ({ page, system, card }) => {
  expect(await card.device.agent(['doctor', '--report', '--json'])).toMatchObject({ stderr: '' });
  const { device } = (await system.as('auditor').get(`/cards/${card.cardId}`)).body;
  const { report } = (await system.as('auditor').get(`/devices/${device.id}`)).body;
  await openAs(page, system, 'auditor', `/devices/${device.id}`);
  const readiness = page.getByRole('region', { name: 'Readiness' });
  const findings = readiness.getByRole('list', { name: 'Readiness' }).getByRole('listitem');
  await expect(findings).toHaveCount(report.findings.length);
  const levels = await findings.locator('[data-state]').evaluateAll((all) => all.map((one) => one.dataset.state ?? ''));
  const order = ['problem', 'warning', 'ok'];
  expect(levels).toEqual([...levels].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  expect(new Set(levels)).toContain('ok');
  const advised = report.findings.find((finding: { advice: string | null }) => finding.advice !== null);
  await expect(readiness).toContainText(advised.advice);
  await expect(readiness.getByRole('button')).toHaveCount(0);
});

test('the lockout of a TPM is reset from the page of its device', async ({ page, system, card }) => {
  expect(await card.device.agent(['protect-lockout'])).toMatchObject({ exitCode: 0 });
  const { device } = (await system.as('auditor').get(`/cards/${card.cardId}`)).body;
  const reset = await card.device.startLockoutReset();
  await openAs(page, system, 'helpdesk', `/devices/${device.id}`);
  await page.getByRole('button', { name: 'Reset lockout' }).click();
  const dialog = page.getByRole('dialog', { name: `Reset the lockout of the TPM of ${device.hostName}?` });

  await dialog.getByRole('button', { name: 'Get response' }).click();
  await expect(dialog.getByText('Choose how the caller was verified.')).toBeVisible();
  await expect(dialog.getByText('This line is missing.').first()).toBeVisible();

  await dialog.getByRole('radio', { name: 'By calling back' }).check({ force: true });
  await dialog.getByLabel('Evidence').fill(EVIDENCE);
  await dialog.getByLabel(/^Challenge line 1 /).fill(reset.challenge.replaceAll('\n', ' '));
  await dialog.getByLabel('Reason').fill('Disk password mistyped too often');
  await dialog.getByRole('button', { name: 'Get response' }).click();

  const shown = page.getByRole('dialog', { name: `Response for ${device.hostName}` });
  await expect(shown).toBeVisible();
  const response = await readResponse(page);
  await shown.getByRole('button', { name: 'Done: hide it' }).click();
  await expect(page.getByRole('list', { name: 'Response' })).toHaveCount(0);
  expect(await reset.finish(response)).toMatchObject({ exitCode: 0 });
});
