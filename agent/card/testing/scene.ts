import { randomBytes } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import { type Bytes, type PinIndex, pinIndex } from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Entity, StorageRoots, type Tpm, withLoaded } from '../../tpm/index.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import type { CardMaker } from '../port.ts';
import { tpmCardMaker } from '../tpm/index.ts';
import { decodeStored } from '../tpm/stored.ts';
import { type MadeCard, makeCard } from './make-card.ts';
import { Root } from './root.ts';

/** A finished card with a key, and root at the same TPM; anew for each test. */
export class Scene {
  tpm!: Tpm;
  maker!: CardMaker;
  root!: Root;
  roots!: StorageRoots;
  made!: MadeCard;
  key!: Bytes;
  readonly pin = '271828';
  readonly digest: Bytes = new Uint8Array(32);

  /** Registers the hooks of the test file that calls it. */
  static forEachTest(): Scene {
    const scene = new Scene();
    let device: SoftwareTpm;
    beforeAll(async () => {
      device = await startSoftwareTpm();
    });
    beforeEach(() => scene.#begin(device));
    afterEach(() => scene.#end());
    afterAll(() => device.stop());
    return scene;
  }

  get index(): PinIndex {
    return pinIndex({ nvIndex: this.made.record.slot, administratorKeyName: this.made.vault.name });
  }

  get writtenIndex(): Entity {
    return { handle: this.made.record.slot, name: this.index.writtenName };
  }

  get definedIndex(): Entity {
    return { handle: this.made.record.slot, name: this.index.definedName };
  }

  sign(pin: string): Promise<Bytes> {
    return this.made.card.sign({ key: this.key, hash: 'sha256', digest: this.digest, pin: Secret.fromText(pin) });
  }

  async withKey<T>(blob: Bytes, work: (loaded: Entity) => Promise<T>): Promise<T> {
    const root = await this.roots.named(this.made.record.parentName);
    return withLoaded(this.tpm, root, decodeStored(blob), work);
  }

  withAdministratorKey<T>(work: (loaded: Entity) => Promise<T>): Promise<T> {
    return this.withKey(this.made.record.administratorKey, work);
  }

  /** Five wrong PINs. */
  async block(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      await expect(this.sign('000000')).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft: 4 - i } });
    }
    await this.roots.release();
  }

  /** Nothing was won and nothing lost: the tries are `left` of 5, and the PIN is what it was. */
  async expectUnharmed(left = 5): Promise<void> {
    await this.roots.release();
    expect(await this.made.card.tries()).toEqual({ left, limit: 5 });
    await this.sign(this.pin);
  }

  async #begin(device: SoftwareTpm): Promise<void> {
    this.tpm = await openTpm(device.tcti);
    this.maker = tpmCardMaker(this.tpm);
    this.root = new Root(this.tpm);
    this.roots = new StorageRoots(this.tpm);
    this.made = await makeCard(this.maker, this.pin);
    this.key = await this.maker.makeKey(this.made.record, 'ec-p256');
    // A bare TPM has three places: the maker gives its own back, and takes them again when the test uses it.
    await this.maker.close();
    this.tpm = await openTpm(device.tcti);
    this.maker = tpmCardMaker(this.tpm);
    this.root = new Root(this.tpm);
    this.roots = new StorageRoots(this.tpm);
    this.made = { ...this.made, card: this.maker.open(this.made.record) };
  }

  async #end(): Promise<void> {
    await this.roots.release();
    await this.maker.discard(this.made.record.slot, this.made.vault.name);
    await this.maker.close();
  }
}

export function random32(): Bytes {
  return new Uint8Array(randomBytes(32));
}
