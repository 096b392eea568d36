import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:net';
import { parseStoragePublic, wrapSealedData } from '@cardwright/protocol/tpm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import type { CardMaker, WrappedAdministratorKey } from '../port.ts';
import { VaultPart } from '../testing/vault-part.ts';
import { tpmCardMaker } from './index.ts';

/** An administrator key on its way to a card that is not in the TPM: sealed for the TPM, opened in memory. */
const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
const key = random(24);

describe('what was sealed for a TPM', () => {
  let device: SoftwareTpm;
  let maker: CardMaker;
  let parentPublic: Uint8Array;
  let sealed: WrappedAdministratorKey;
  beforeAll(async () => {
    device = await startSoftwareTpm();
    maker = tpmCardMaker(await openTpm(device.tcti));
    parentPublic = (await maker.parent()).public;
    sealed = wrapSealedData({ data: key, seedValue: random(32), parent: parseStoragePublic(parentPublic), random });
  });
  afterAll(async () => {
    await maker.close();
    await device.stop();
  });

  it('is opened by it, again and again', async () => {
    for (let time = 0; time < 4; time++) {
      const secret = await maker.openSealed(sealed);
      secret.use((bytes) => expect(Buffer.from(bytes)).toEqual(Buffer.from(key)));
      secret.wipe();
    }
  });

  it('is refused when it was altered', async () => {
    for (const part of ['duplicate', 'inSymSeed'] as const) {
      const altered = Uint8Array.from(sealed[part]);
      altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
      await expect(maker.openSealed({ ...sealed, [part]: altered })).rejects.toMatchObject({
        code: 'sealed-key-refused',
      });
    }
    await expect(maker.openSealed({ ...sealed, name: random(34) })).rejects.toMatchObject({
      code: 'sealed-key-refused',
    });
  });

  it('is refused when it is a key', async () => {
    const administratorKey = new VaultPart().wrapFor(parentPublic);
    await expect(maker.openSealed(administratorKey)).rejects.toMatchObject({ code: 'sealed-key-refused' });
  });

  it('is refused by another TPM', async () => {
    const other = await startSoftwareTpm();
    const elsewhere = tpmCardMaker(await openTpm(other.tcti));
    await expect(elsewhere.openSealed(sealed)).rejects.toMatchObject({ code: 'sealed-key-refused' });
    await elsewhere.close();
    await other.stop();
  });

  it('does not pass between the TPM and us in clear', async () => {
    await maker.close();
    const heard: Buffer[] = [];
    const wire = await tapped(device.tcti, heard);
    const through = tpmCardMaker(await openTpm(`swtpm:host=127.0.0.1,port=${(wire.address() as AddressInfo).port}`));
    const secret = await through.openSealed(sealed);
    secret.use((bytes) => expect(Buffer.from(bytes)).toEqual(Buffer.from(key)));
    secret.wipe();
    await through.close();
    await new Promise((resolve) => wire.close(resolve));
    expect(Buffer.concat(heard).length).toBeGreaterThan(500);
    expect(Buffer.concat(heard).includes(Buffer.from(key))).toBe(false);
    maker = tpmCardMaker(await openTpm(device.tcti));
  });
});

/** A listener on the bus. */
async function tapped(tcti: string, heard: Buffer[]): Promise<Server> {
  const port = Number(/port=(\d+)/.exec(tcti)?.[1]);
  const server = createServer((client) => {
    const tpm = connect({ host: '127.0.0.1', port });
    for (const [from, to] of [
      [client, tpm],
      [tpm, client],
    ] as const) {
      from.on('data', (chunk) => {
        heard.push(chunk);
        to.write(chunk);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
