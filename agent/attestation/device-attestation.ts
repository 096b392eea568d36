import { DomainError } from '@cardwright/protocol';
import {
  ATTESTATION_KEY_TEMPLATE,
  parseEcdsaSignature,
  parseEndorsementKey,
  TPM_RH_ENDORSEMENT,
} from '@cardwright/protocol/attestation';
import { type Bytes, PIN_COUNTER_BYTES, sized, TPM_CC, u32 } from '@cardwright/protocol/tpm';
import type { Hardware } from '../card/tpm/hardware.ts';
import { CardPlace } from '../card/tpm/place.ts';
import { decodeStored } from '../card/tpm/stored.ts';
import {
  type Authorizer,
  activateCredential,
  certify,
  certifyCreation,
  certifyNv,
  createPrimary,
  EMPTY_AUTH,
  isRefusal,
  type Loaded,
  PolicySession,
  RC,
  signHashed,
  withLoaded,
} from '../tpm/index.ts';
import { type FoundEndorsement, findEndorsements, withEndorsementKey } from './endorsements.ts';
import type {
  DeviceAttestation,
  Endorsement,
  HiddenCredential,
  KeyProof,
  ParentProof,
  Proof,
  ProvenCard,
} from './port.ts';

/** Shares the TPM with the cards: one piece of work at a time, nothing left in it. */
export function tpmAttestation(hardware: Hardware): DeviceAttestation {
  return new TpmAttestation(hardware);
}

const ENDORSEMENT = { handle: TPM_RH_ENDORSEMENT, name: u32(TPM_RH_ENDORSEMENT) };

class TpmAttestation implements DeviceAttestation {
  readonly #hardware: Hardware;
  #found: readonly FoundEndorsement[] | undefined;

  constructor(hardware: Hardware) {
    this.#hardware = hardware;
  }

  endorsements(): Promise<readonly Endorsement[]> {
    return this.#turn(() => this.#find());
  }

  identity(): Promise<{ readonly public: Bytes; readonly name: Bytes }> {
    return this.#turn(() => this.#withIdentity(async ({ publicArea, name }) => ({ public: sized(publicArea), name })));
  }

  activate(endorsement: Endorsement, credential: HiddenCredential): Promise<Bytes> {
    return this.#turn(async () => {
      const same = (one: Endorsement) => Buffer.from(one.public).equals(endorsement.public);
      const found = (await this.#find()).find(same);
      if (found === undefined) throw new DomainError('conflict', 'credential-refused', 'No such key in this TPM.');
      try {
        return await this.#activate(found, credential);
      } catch (error) {
        if (!isRefusal(error, RC.INTEGRITY, RC.VALUE, RC.SIZE)) throw error;
        const detail = "The server's credential was made for another TPM, or for another key in it.";
        throw new DomainError('conflict', 'credential-refused', detail, { cause: error });
      }
    });
  }

  proveParent(nonce: Bytes): Promise<ParentProof> {
    return this.#turn(async () => {
      const root = await this.#hardware.roots.current();
      const proof = await this.#withIdentity((key) => certify(this.#hardware.tpm, root, key, nonce));
      return { ...proof, public: root.public };
    });
  }

  async proveKey(card: ProvenCard, key: Bytes, nonce: Bytes): Promise<KeyProof | undefined> {
    const { creation, ...stored } = decodeStored(key);
    if (creation === undefined) return undefined;
    return this.#turn(async () => {
      const { tpm, roots } = this.#hardware;
      const root = await roots.named(card.parentName);
      const proof = await this.#withIdentity((identity) =>
        withLoaded(tpm, root, stored, (loaded) => certifyCreation(tpm, loaded, identity, creation, nonce)),
      );
      return { ...proof, public: sized(stored.publicArea), creationData: creation.data };
    });
  }

  proveCard(card: ProvenCard, nonce: Bytes): Promise<Proof> {
    return this.#turn(async () => {
      const { tpm } = this.#hardware;
      const place = new CardPlace(this.#hardware, card.slot, card.administratorKeyName);
      try {
        return await this.#withIdentity((identity) =>
          PolicySession.during(tpm, async (session) => {
            await session.commandCode(TPM_CC.NV_Certify);
            await place.openBranch(session);
            return certifyNv(tpm, place.written, session.spending(), identity, PIN_COUNTER_BYTES, nonce);
          }),
        );
      } catch (error) {
        throw (isRefusal(error) ? await place.unlessIn('written') : undefined) ?? error;
      }
    });
  }

  sign(message: Bytes): Promise<Bytes> {
    return this.#turn(async () =>
      parseEcdsaSignature(await this.#withIdentity((key) => signHashed(this.#hardware.tpm, key, message))),
    );
  }

  async #find(): Promise<readonly FoundEndorsement[]> {
    this.#found ??= await findEndorsements(this.#hardware.tpm);
    return this.#found;
  }

  #activate(found: FoundEndorsement, credential: HiddenCredential): Promise<Bytes> {
    const { tpm } = this.#hardware;
    return withEndorsementKey(tpm, found, (endorsementKey) =>
      this.#withIdentity((identity) => {
        const open = (opening: Authorizer) => activateCredential(tpm, identity, endorsementKey, opening, credential);
        if (parseEndorsementKey(found.public).userWithAuth) return open(EMPTY_AUTH);
        return PolicySession.during(tpm, async (session) => {
          await session.secret(ENDORSEMENT, EMPTY_AUTH);
          return open(session.spending());
        });
      }),
    );
  }

  /** The key is made anew each time, and is the same each time: nothing of it has to be stored. */
  async #withIdentity<T>(work: (key: Loaded) => Promise<T>): Promise<T> {
    const { tpm } = this.#hardware;
    const key = await createPrimary(tpm, TPM_RH_ENDORSEMENT, ATTESTATION_KEY_TEMPLATE);
    try {
      return await work(key);
    } finally {
      await tpm.flush(key.handle);
    }
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    return this.#hardware.turn(async () => {
      try {
        return await work();
      } catch (error) {
        if (!isRefusal(error, RC.BAD_AUTH, RC.AUTH_FAIL)) throw error;
        const detail = "The TPM's endorsement hierarchy has a password of its own; attestation needs it to be empty.";
        throw new DomainError('conflict', 'tpm-endorsement-password-set', detail, { cause: error });
      }
    });
  }
}
