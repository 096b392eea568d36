import { expectStatus, rawDevice } from '../integration/cms/raw-device.ts';
import { registerPerson } from '../support/people.ts';
import type { TestSystem } from '../support/system.ts';
import { EVIDENCE, expect, openAs, test } from './console.ts';

async function newProfile(system: TestSystem, name: string, displayName: string, rules: object): Promise<void> {
  const base = { name, displayName, algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
  expectStatus(201, await system.as('security-officer').post('/card-profiles', { ...base, ...rules }));
}

test('who enrols on behalf vouches, and a PIN that is handed over has a code for the person alone', async ({
  page,
  system,
}) => {
  const rules = { enrolmentMethods: ['pre-provisioned', 'on-behalf'], initialPin: 'handed-over' };
  await newProfile(system, 'e2e-handed', 'Prepared cards', rules);
  const person = await registerPerson(system, 'Katherine Johnson');
  await openAs(page, system, 'helpdesk', `/people/${person.id}`);
  const form = page.getByRole('form', { name: 'New enrolment' });
  await form.getByLabel('Card profile').selectOption('Prepared cards');
  await form.getByRole('radio', { name: /^On behalf/ }).check({ force: true });
  await form.getByRole('button', { name: 'Create enrolment code' }).click();
  await expect(form.getByText('Choose how the caller was verified.')).toBeVisible();
  await form.getByRole('radio', { name: /^In person/ }).check({ force: true });
  await form.getByLabel('Evidence').fill(EVIDENCE);
  await form.getByRole('button', { name: 'Create enrolment code' }).click();

  const handOver = page.getByRole('region', { name: 'Hand-over code' });
  const code = ((await handOver.locator('.code-large').textContent()) ?? '').trim();
  expect(code).not.toBe('');
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByText(code)).toBeVisible();
  await expect(page.getByRole('group', { name: 'Enrolment code' })).toBeHidden();
  await page.emulateMedia({ media: 'screen' });
  await page.getByRole('button', { name: 'Hide code' }).click();
  await expect(page.getByText(code)).toHaveCount(0);
  const row = page.getByRole('table', { name: 'Enrolments' }).getByRole('row').last();
  await expect(row).toContainText('On behalf');
  await expect(row).toContainText('Sealed');
});

test('a first PIN that was set under an operator’s eyes is confirmed by the code on the device', async ({
  page,
  system,
}) => {
  await newProfile(system, 'e2e-supervised', 'Supervised cards', { initialPin: 'supervised' });
  const person = await registerPerson(system, 'Dorothy Vaughan');
  const helpdesk = system.as('helpdesk');
  const made = expectStatus(
    201,
    await helpdesk.post('/enrolments', { personId: person.id, cardProfile: 'e2e-supervised' }),
  );
  const device = await rawDevice(system).begin(made.body.code);
  const { confirmationCode } = expectStatus(201, await device.step('initial-pins', {})).body;

  await openAs(page, system, 'helpdesk', `/people/${person.id}`);
  await page.getByRole('button', { name: 'Confirm first PIN' }).click();
  const dialog = page.getByRole('dialog', { name: 'Did the person set the PIN under your eyes?' });
  await dialog.getByRole('button', { name: 'Confirm first PIN' }).click();
  await expect(dialog.getByText('Enter the code that the device shows.')).toBeVisible();
  await dialog.getByLabel('Confirmation code').fill(confirmationCode === '000000' ? '000001' : '000000');
  await dialog.getByRole('radio', { name: /^In person/ }).check({ force: true });
  await dialog.getByLabel('Evidence').fill(EVIDENCE);
  await dialog.getByRole('button', { name: 'Confirm first PIN' }).click();
  await expect(dialog.getByRole('alert').first()).toBeVisible();
  await dialog.getByLabel('Confirmation code').fill(confirmationCode);
  await dialog.getByRole('button', { name: 'Confirm first PIN' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('table', { name: 'Enrolments' })).toContainText('Confirmed');
  expect((await helpdesk.get(`/enrolments/${made.body.enrolment.id}`)).body.initialPinState).toBe('confirmed');
});
