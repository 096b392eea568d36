import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyWork, startKeyWork } from '../support/crash/key-work.ts';
import { runMatrix } from '../support/crash/matrix.ts';

/**
 * kill -9 at every step that another process could see of what changes the vault's own keys: a KEK rotation, and a move
 * from the keys file to a token. The vault serves, and is asked all the time.
 */
describe('the keys of the vault', () => {
  let work: KeyWork;
  beforeAll(async () => {
    work = await startKeyWork();
  }, 120_000);
  afterAll(() => work?.remove());

  const judged = 'the same command completed it; answers as openssl, PINs reset on the TPM; both records agree';
  const named = (points: readonly string[], name: string) => points.find((point) => point.endsWith(` ${name}`)) ?? name;

  it('survive kill -9 of the command, of the vault and of PostgreSQL in a KEK rotation', async () => {
    const rotate = ['rotate-kek'];
    const points = await work.pointsOf(rotate);
    await runMatrix({
      ...{ title: 'KEK rotation', points, judged, victims: Object.keys(work.victims) },
      sample: [
        [named(points, 'administrator_keys.replace.after'), 'postgres'],
        [named(points, 'keks.retire.after'), 'command'],
      ],
      kill: (point, victim) => work.killAt(rotate, point, victim, () => work.nothingIsLeftToDo()),
    });
  }, 7_200_000);

  it('survive kill -9 of the command, of the vault and of PostgreSQL in a move to a token', async () => {
    const move = ['move-provider', '--to', 'pkcs11'];
    await work.restore();
    const points = await work.pointsOf(move);
    await runMatrix({
      ...{ title: 'provider move', points, judged, victims: Object.keys(work.victims) },
      sample: [[named(points, 'file.dispose.after'), 'vault']],
      async kill(point, victim) {
        await work.restore();
        await work.killAt(move, point, victim, async () => {
          await work.nothingIsLeftToDo();
          expect(existsSync(work.keysFile)).toBe(false);
          await work.restartVault('pkcs11'); // with the token alone
        });
      },
    });
  }, 7_200_000);
});
