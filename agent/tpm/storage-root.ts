import { DomainError, isDomainError } from '@cardwright/protocol';
import {
  type Bytes,
  OBJECT_ATTRIBUTE,
  parseStoragePublic,
  type StorageParent,
  sized,
  TPM_ALG,
  TPM_ECC_NIST_P256,
  Writer,
} from '@cardwright/protocol/tpm';
import type { Entity } from './command.ts';
import { HmacSession } from './hmac-session.ts';
import { createOwnerPrimary, readPublic } from './objects.ts';
import { isRefusal, RC } from './response-code.ts';
import type { Tpm } from './tpm.ts';

/** Where the TCG's provisioning guidance puts the storage root key. */
const SRK_HANDLE = 0x81000001;

/** The device's storage root key: the parent of all that the card stores, and what the sessions are salted with. */
export interface StorageRoot extends Entity {
  /** TPM2B_PUBLIC */
  readonly public: Bytes;
  readonly parsed: StorageParent;
}

/**
 * Finds the storage root key and keeps it, with one secure session, for as long as the TPM is open. It is the persistent
 * key if the machine has one that fits, else the TCG's P-256 template, made anew (a primary key is the same each time).
 */
export class StorageRoots {
  readonly #tpm: Tpm;
  #persistent: Promise<StorageRoot | undefined> | undefined;
  #primary: Promise<StorageRoot> | undefined;
  readonly #sessions = new Map<string, Promise<HmacSession>>();

  constructor(tpm: Tpm) {
    this.#tpm = tpm;
  }

  /** For a new card. */
  async current(): Promise<StorageRoot> {
    return (await this.#findPersistent()) ?? (await this.#makePrimary());
  }

  /**
   * For a card that was made under the key of this Name, also if another one was made persistent since then. Throws
   * `card-of-another-device`; it is also what refuses a key that something between us and the TPM offers in its place.
   */
  async named(name: Bytes): Promise<StorageRoot> {
    const same = (root: StorageRoot | undefined): root is StorageRoot => Buffer.from(root?.name ?? []).equals(name);
    const persistent = await this.#findPersistent();
    if (same(persistent)) return persistent;
    const primary = await this.#makePrimary();
    if (same(primary)) return primary;
    const detail = "This card was made on another device, or this device's TPM was cleared since.";
    throw new DomainError('conflict', 'card-of-another-device', detail);
  }

  /** The one secure session under `root`. */
  session(root: StorageRoot): Promise<HmacSession> {
    const key = Buffer.from(root.name).toString('hex');
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = HmacSession.start(this.#tpm, root, root.parsed);
      session.catch(() => this.#sessions.delete(key));
      this.#sessions.set(key, session);
    }
    return session;
  }

  /** Gives their places in the TPM back; the next use begins anew. */
  async release(): Promise<void> {
    for (const session of await Promise.allSettled(this.#sessions.values())) {
      if (session.status === 'fulfilled') await this.#tpm.flush(session.value.handle);
    }
    this.#sessions.clear();
    const primary = await this.#primary?.catch(() => undefined);
    this.#primary = undefined;
    if (primary !== undefined) await this.#tpm.flush(primary.handle);
  }

  #findPersistent(): Promise<StorageRoot | undefined> {
    this.#persistent ??= this.#readPersistent();
    this.#persistent.catch(() => {
      this.#persistent = undefined;
    });
    return this.#persistent;
  }

  async #readPersistent(): Promise<StorageRoot | undefined> {
    try {
      return asRoot(SRK_HANDLE, await readPublic(this.#tpm, SRK_HANDLE));
    } catch (error) {
      if (isRefusal(error, RC.HANDLE)) return undefined;
      // Some other key stands there (AES-256 inside, say): not ours to judge, and no parent for a card.
      if (isDomainError(error) && error.code === 'tpm-parent-not-allowed') return undefined;
      throw error;
    }
  }

  #makePrimary(): Promise<StorageRoot> {
    this.#primary ??= this.#createPrimary();
    this.#primary.catch(() => {
      this.#primary = undefined;
    });
    return this.#primary;
  }

  async #createPrimary(): Promise<StorageRoot> {
    try {
      const { handle, publicArea } = await createOwnerPrimary(this.#tpm, P256_TEMPLATE);
      return asRoot(handle, publicArea);
    } catch (error) {
      throw ownerRefusal(error);
    }
  }
}

/** What the owner's hierarchy refuses when its authValue is not the empty one, in our words. */
export function ownerRefusal(error: unknown): unknown {
  if (!isRefusal(error, RC.BAD_AUTH, RC.AUTH_FAIL)) return error;
  const detail = "The TPM's owner hierarchy has a password of its own; cards need it to be empty.";
  return new DomainError('conflict', 'tpm-owner-password-set', detail, { cause: error });
}

function asRoot(handle: number, publicArea: Bytes): StorageRoot {
  const parsed = parseStoragePublic(sized(publicArea));
  return { handle, name: parsed.name, public: sized(publicArea), parsed };
}

const { fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt } = OBJECT_ATTRIBUTE;

/** SRK template of the TCG's TPM 2.0 Provisioning Guidance, section 7.5.1, on P-256. */
const P256_TEMPLATE = new Writer()
  .u16(TPM_ALG.ECC)
  .u16(TPM_ALG.SHA256)
  .u32(fixedTPM | fixedParent | sensitiveDataOrigin | userWithAuth | noDA | restricted | decrypt)
  .sized(new Uint8Array())
  .u16(TPM_ALG.AES)
  .u16(128)
  .u16(TPM_ALG.CFB)
  .u16(TPM_ALG.NULL)
  .u16(TPM_ECC_NIST_P256)
  .u16(TPM_ALG.NULL)
  .sized(new Uint8Array(32))
  .sized(new Uint8Array(32))
  .done();
