import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GidsCard, gidsCard } from '../support/gids-card.ts';
import { startPcscd, type TestPcscd } from '../support/pcscd.ts';
import { runFolder } from '../support/run-folder.ts';

/**
 * The virtual GIDS card that the tests of take-over use in a physical card's stead is a GIDS card in the eyes of OpenSC,
 * which knows nothing of ours.
 */
const DEFAULT_KEY = '010203040506070801020304050607080102030405060708';
const serial = randomBytes(16).toString('hex').toUpperCase();
const [first, second] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];

describe('the virtual GIDS card', () => {
  let pcscd: TestPcscd;
  let card: GidsCard;
  beforeAll(async () => {
    pcscd = await startPcscd();
    card = gidsCard({ file: join(mkdtempSync(join(runFolder(), 'card-')), 'card.json'), serial });
    await card.insert(pcscd);
  });
  afterAll(async () => {
    card?.pull();
    await pcscd?.stop();
  });
  const gids = (...args: string[]) => pcscd.tool('gids-tool', args);

  it('is initialised by gids-tool', async () => {
    const ran = await gids('-X', '--admin-key', first, '--pin', '271828', '--serial-number', serial);
    expect(ran.stderr).not.toContain('failed');
    expect(card.administratorKey().toString('hex')).toBe(first);
  });

  it('is recognised by opensc-tool, with its serial', async () => {
    expect((await pcscd.tool('opensc-tool', ['--name'], { drivers: 'all' })).stdout.trim()).toBe('GIDS Smart Card');
    const shown = (await pcscd.tool('opensc-tool', ['--serial'])).stdout;
    expect(shown.replaceAll(' ', '')).toContain(serial);
  });

  it('shows gids-tool its files', async () => {
    const { stdout } = await gids();
    expect(stdout).toContain('Found 5 entries in the masterfile');
    expect(stdout).toMatch(/File: \\cardid\s+FileIdentifier: 0xa012\s+DataObjectIdentifier: 0xdf20\s+Size: 16/);
    expect(stdout).not.toContain('unable to read');
  });

  it('is unblocked with its administrator key, and with no other', async () => {
    const ran = await gids('-U', '--admin-key', first, '--pin', '314159');
    expect(ran.stdout).toContain('Unblock PIN done successfully');
    const wrong = await gids('-U', '--admin-key', DEFAULT_KEY, '--pin', '999999');
    expect(wrong.stdout).not.toContain('Administrator authentication successful');
  });

  it('takes another administrator key from who has proved the one it has', async () => {
    await gids('-C', '--admin-key', DEFAULT_KEY, '--new-admin-key', second);
    expect(card.administratorKey().toString('hex')).toBe(first);
    await gids('-C', '--admin-key', first, '--new-admin-key', second);
    expect(card.administratorKey().toString('hex')).toBe(second);
    const ran = await gids('-U', '--admin-key', second, '--pin', '314159');
    expect(ran.stdout).toContain('Unblock PIN done successfully');
  });
});
