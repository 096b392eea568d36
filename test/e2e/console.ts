import { randomInt } from 'node:crypto';
import { test as base, expect, type Page } from '@playwright/test';
import { type Device, newDevice } from '../support/device.ts';
import { enrolledCard } from '../support/people.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

export { expect };

type Role = 'helpdesk' | 'security-officer' | 'auditor' | 'integration';

/** A person's card on a computer of its own, and its PIN. */
export interface CardInUse {
  readonly device: Device;
  readonly pin: string;
  readonly cardId: string;
  readonly serial: string;
  readonly person: { readonly id: string; readonly displayName: string; readonly userPrincipalName: string };
}

interface Shared {
  system: TestSystem;
  card: CardInUse;
}
interface Each {
  /** Fails a test whose page broke the content security policy, threw, or asked another host for anything. */
  quietPage: undefined;
}

export const test = base.extend<Each, Shared>({
  system: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from its first parameter
    async ({}, use) => {
      // tries of the TPM itself, seconds until one is forgiven, seconds of pause after a wrong password
      const system = await startTestSystem({ environment: { cms: { CMS_TPM_LOCKOUT: '4,600,900' } } });
      await use(system);
      await system.remove();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  card: [
    async ({ system }, use) => {
      const device = await newDevice();
      const pin = newPin();
      await use({ device, pin, ...(await enrolledCard(system, device, pin)) });
      await device.remove();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  quietPage: [
    async ({ page, system }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith(system.url) && !request.url().startsWith('data:')) complaints.push(request.url());
      });
      await use(undefined);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export const newPin = (): string => `7${randomInt(10_000, 99_999)}4x`;

/** Opens a page of the console, signing in on the way as an operator would. */
export async function openAs(page: Page, system: TestSystem, role: Role, path: string): Promise<void> {
  await page.goto(`${system.url}${path}`);
  await signIn(page, system, role);
}

/** Fills in the sign-in that is on the screen, be it the page or the dialog over another page. */
export async function signIn(page: Page, system: TestSystem, role: Role): Promise<void> {
  const operator = system.operators.find((one) => one.role === role);
  if (operator === undefined) throw new Error(`there is no operator ${role}`);
  await page.getByLabel('User name').fill(operator.name);
  await page.getByLabel('Password').fill(operator.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Password')).toHaveCount(0);
}

export const EVIDENCE = 'Called back on the number on record';

/** From the card's page (or from the first step, `in the wizard`) to the challenge, as a mouse user goes. */
export async function toChallenge(page: Page, from: 'the card' | 'in the wizard' = 'the card'): Promise<void> {
  if (from === 'the card') {
    await page.getByRole('link', { name: 'Unblock', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'Who is calling?' })).toBeFocused();
  }
  await page.getByRole('radio', { name: 'By calling back' }).check({ force: true });
  await page.getByLabel('Evidence').fill(EVIDENCE);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { name: 'Is this the card?' })).toBeFocused();
  await page.getByRole('button', { name: 'This is the card' }).click();
  await expect(page.getByRole('heading', { name: 'Type the challenge' })).toBeFocused();
}

/** Wrong PINs, five and one more: the card itself says that it is blocked. */
export async function block({ device }: CardInUse): Promise<void> {
  const files = ['--in', '/etc/hostname', '--out', `${device.directory}/signature`];
  let said = '';
  for (let tries = 0; tries < 6; tries++) {
    said = (await device.agent(['sign', ...files, '--pin-stdin'], { input: '999999z\n' })).stderr;
  }
  expect(said).toContain('[card-blocked]');
  // a check-in: the console shows what the device last said
  await device.agent(['status', '--json']);
}

/** Whether the card signs with this PIN. */
export async function signs({ device }: CardInUse, pin: string): Promise<boolean> {
  const files = ['--in', '/etc/hostname', '--out', `${device.directory}/signature`];
  return (await device.agent(['sign', ...files, '--pin-stdin'], { input: `${pin}\n` })).exitCode === 0;
}

/** What the helpdesk operator reads from the screen: the lines of the response, as text. */
export async function readResponse(page: Page): Promise<string> {
  const lines = await page.getByRole('list', { name: 'Response' }).getByRole('listitem').allInnerTexts();
  return lines.map((line) => line.replace(/\s+/g, ' ').trim()).join('\n');
}
