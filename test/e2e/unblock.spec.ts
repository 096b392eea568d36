import { createHash, randomBytes } from 'node:crypto';
import { encodeLines, packChallenge } from '@cardwright/protocol/challenge';
import {
  block,
  type CardInUse,
  EVIDENCE,
  expect,
  newPin,
  openAs,
  readResponse,
  signIn,
  signs,
  test,
  toChallenge,
} from './console.ts';

test.describe('the unblock wizard', () => {
  // each leaves the card as the next one needs it
  test.describe.configure({ mode: 'serial' });

  test('unblocks a blocked card from search to outcome with the keyboard alone', async ({ page, system, card }) => {
    await block(card);
    const pin = newPin();
    const unblock = await card.device.startUnblock(pin);
    const lines = unblock.challenge.split('\n');
    await openAs(page, system, 'helpdesk', '/');
    await expect(page.getByLabel('Find a person, card, device or certificate')).toBeFocused();
    await expect(page.getByRole('heading', { name: 'Search' })).toBeVisible();

    let strokes = 0;
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
      strokes += keys.length;
    };
    const type = async (text: string) => {
      await page.keyboard.type(text);
      strokes += text.length;
    };
    const tabTo = async (role: 'button' | 'radio' | 'link' | 'textbox', name: string) => {
      const wanted = page.getByRole(role, { name, exact: role !== 'radio' }).first();
      for (let tabs = 0; tabs < 30; tabs++) {
        await press('Tab');
        if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
      }
      throw new Error(`${name} is not reached by Tab`);
    };

    await type(card.serial);
    await press('Enter');
    await expect(page.getByRole('heading', { name: card.serial })).toBeFocused();
    await expect(page.getByText('0 of 5')).toBeVisible();
    await tabTo('link', 'Unblock');
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Who is calling?' })).toBeFocused();
    await tabTo('radio', 'In person');
    await press('ArrowDown', 'ArrowDown');
    await expect(page.getByRole('radio', { name: 'By calling back' })).toBeChecked();
    await tabTo('textbox', 'Evidence');
    await type(EVIDENCE);
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Is this the card?' })).toBeFocused();
    await expect(page.getByText(card.serial, { exact: true })).toBeVisible();
    await tabTo('button', 'This is the card');
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Type the challenge' })).toBeFocused();
    await tabTo('textbox', 'Challenge line 1 of 3');
    // each line hands the focus on when it is right
    for (const line of lines) await type(line.replaceAll(' ', '').toLowerCase());
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Why is it unblocked?' })).toBeFocused();
    await tabTo('textbox', 'Reason');
    await type('Forgot the PIN');
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Read out the response' })).toBeFocused();
    await expect(page.getByRole('timer')).toHaveText(/^\d+:\d\d left$/);
    const response = await readResponse(page);
    expect(await unblock.finish(response)).toMatchObject({ exitCode: 0 });
    await tabTo('button', 'The caller has typed it');
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Did it work?' })).toBeFocused();
    await tabTo('button', 'It worked');
    await press('Enter');
    await expect(page.getByRole('heading', { name: 'Card unblocked' })).toBeFocused();
    test.info().annotations.push({ type: 'key strokes', description: String(strokes) });
    process.stdout.write(`    unblock by keyboard: ${strokes} key strokes\n`);

    expect(await signs(card, pin)).toBe(true);
    expect(await signs(card, card.pin)).toBe(false);
    Object.assign(card, { pin });
  });

  test('shows the response in words, masks it when its time is over, and never shows it again', async ({
    page,
    system,
    card,
  }) => {
    const unblock = await card.device.startUnblock(newPin());
    await page.clock.install();
    await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
    await toChallenge(page);
    // pasted as a whole it flows into its lines
    await page.getByLabel('Challenge line 1 of 3').fill(unblock.challenge.replaceAll('\n', ' '));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Reason').fill('Forgot the PIN');
    await page.getByRole('button', { name: 'Get response' }).click();
    await expect(page.getByRole('heading', { name: 'Read out the response' })).toBeFocused();
    const plain = await readResponse(page);
    await page.getByRole('button', { name: 'Spoken alphabet' }).click();
    await expect(page.getByRole('button', { name: 'Spoken alphabet', pressed: true })).toBeVisible();
    await expect(page.getByRole('list', { name: 'Response' })).toContainText(/(zero|one|Alfa|Bravo|Kilo|Zulu)/);
    await expect(page).toHaveURL(/session=/);
    const picture = page.getByRole('img', { name: 'The response as a QR code' });
    await expect(picture).toHaveCount(0);
    await page.getByRole('button', { name: 'QR code' }).click();
    await expect(picture).toBeVisible();

    await page.clock.fastForward('20:00');
    await expect(picture).toHaveCount(0);
    await expect(page.getByRole('alert')).toContainText('The response has expired');
    await expect(page.getByRole('timer')).toHaveText('Over');
    expect(await readResponse(page)).toBe('•••• •••• •••• •••• ••••');
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Did it work?' })).toBeVisible();
    await expect(page.getByRole('list', { name: 'Response' })).toHaveCount(0);
    await page.getByLabel('Note').fill('The caller hung up');
    await page.getByRole('button', { name: 'It did not work' }).click();
    await expect(page.getByRole('heading', { name: 'Session closed' })).toBeFocused();
    // what was read out still works on the card it is for: the card itself ends the challenge
    expect(await unblock.finish(plain)).toMatchObject({ exitCode: 0 });
    await page.getByRole('link', { name: 'To the card' }).click();
    await expect(page.getByRole('table', { name: 'Unblock sessions' }).getByRole('row').nth(1)).toContainText('Failed');
  });

  test('finds a slip at its line, and the challenge of another card, before anything is asked of the server', async ({
    page,
    system,
    card,
  }) => {
    const posts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push(request.url());
    });
    await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
    posts.length = 0;
    const lines = foreignChallenge(card);
    await toChallenge(page);
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByRole('alert')).toHaveText(Array(3).fill('This line is missing.'));
    await page.getByLabel('Challenge line 1 of 3').fill(lines[0] ?? '');
    const second = lines[1] ?? '';
    await page.getByLabel('Challenge line 2 of 3').fill(second.slice(0, -1) + (second.endsWith('0') ? '1' : '0'));
    await expect(page.getByRole('alert').filter({ hasText: 'The check character does not fit' })).toHaveCount(1);
    await page.getByLabel('Challenge line 2 of 3').fill(second);
    await page.getByLabel('Challenge line 3 of 3').fill(lines[2] ?? '');
    await expect(page.getByText('✓ Right')).toHaveCount(3);
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByRole('alert')).toContainText(`made by another card than ${card.serial}`);
    await expect(page.getByRole('heading', { name: 'Type the challenge' })).toBeVisible();
    expect(posts).toEqual([]);
  });

  test('loses nothing when the session ends in the middle', async ({ page, system, card }) => {
    const pin = newPin();
    const unblock = await card.device.startUnblock(pin);
    await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
    await toChallenge(page);
    await page.getByLabel('Challenge line 1 of 3').fill(unblock.challenge.replaceAll('\n', ' '));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Reason').fill('Forgot the PIN');
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Get response' }).click();
    await expect(page.getByRole('dialog', { name: 'Sign in again' })).toBeVisible();
    await signIn(page, system, 'helpdesk');
    await expect(page.getByLabel('Reason')).toHaveValue('Forgot the PIN');
    await page.getByRole('button', { name: 'Get response' }).click();
    await expect(page.getByRole('heading', { name: 'Read out the response' })).toBeFocused();
    expect(await unblock.finish(await readResponse(page))).toMatchObject({ exitCode: 0 });
    await page.getByRole('button', { name: 'The caller has typed it' }).click();
    await page.getByRole('button', { name: 'It worked' }).click();
    await expect(page.getByRole('heading', { name: 'Card unblocked' })).toBeVisible();
    expect(await signs(card, pin)).toBe(true);
    Object.assign(card, { pin });
  });

  test('approves what a device asked for, by the code that the caller reads out', async ({ page, system, card }) => {
    const pin = newPin();
    const online = await card.device.startOnlineUnblock(pin);
    await openAs(page, system, 'helpdesk', '/work-queue');
    await page.getByRole('link', { name: 'Decide' }).click();
    await expect(page.getByRole('heading', { name: `Unblock ${card.serial}` })).toBeFocused();
    await expect(page.getByText(online.confirmationCode)).toHaveCount(0);
    await page.getByRole('button', { name: 'Approve' }).click();
    await expect(page.getByRole('alert')).toHaveCount(4);
    const code = page.getByLabel('Confirmation code');
    await code.fill(online.confirmationCode === '000000' ? '111111' : '000000');
    await page.getByRole('radio', { name: 'By video' }).check({ force: true });
    await page.getByLabel('Evidence').fill('Seen on video, as on the photo on record');
    await page.getByLabel('Reason').fill('Forgot the PIN');
    await page.getByRole('button', { name: 'Approve' }).click();
    await expect(page.getByRole('alert')).toHaveCount(1);
    await expect(page.getByLabel('Reason')).toHaveValue('Forgot the PIN');
    await code.fill(online.confirmationCode);
    await page.getByRole('button', { name: 'Approve' }).click();
    await expect(page.getByText('The device has set the new PIN.')).toBeVisible({ timeout: 30_000 });
    expect(await online.ended).toMatchObject({ exitCode: 0 });
    expect(await signs(card, pin)).toBe(true);
    Object.assign(card, { pin });
  });

  test('refuses what a device asked for, with a reason', async ({ page, system, card }) => {
    const online = await card.device.startOnlineUnblock(newPin());
    await openAs(page, system, 'helpdesk', `/cards/${card.cardId}`);
    await page.getByRole('link', { name: 'Decide' }).click();
    await page.getByRole('button', { name: 'Refuse …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Refuse this request?' });
    await dialog.getByRole('button', { name: 'Refuse request' }).click();
    await expect(dialog.getByRole('alert')).toHaveText('Say why: it goes on record.');
    await dialog.getByLabel('Reason').fill('The caller could not be identified');
    await dialog.getByRole('button', { name: 'Refuse request' }).click();
    await expect(page.getByText('It was refused.')).toBeVisible();
    expect((await online.ended).exitCode).not.toBe(0);
    expect(await signs(card, card.pin)).toBe(true);
  });
});

/** The challenge of a card of another serial: the tag is all that tells it, and the wizard must see it. */
function foreignChallenge(card: CardInUse): string[] {
  const cardTag = createHash('sha256').update(`${card.serial}X`).digest().subarray(0, 2);
  return encodeLines(packChallenge({ cardTag, resetNonce: randomBytes(16), writeNonce: randomBytes(16) }));
}
