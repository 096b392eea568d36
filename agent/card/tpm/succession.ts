import { DomainError, isDomainError } from '@cardwright/protocol';
import {
  answerSignature,
  type Bytes,
  CARD_REFS,
  MAX_SUCCESSIONS,
  PIN_COUNTER_BYTES,
  rehearsalApproval,
  successionApproval,
  successorPolicies,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import { isRefusal, type Loaded, PolicySession, RC, readNv, verifySignature, withLoaded } from '../../tpm/index.ts';
import type { CardRecord, PolicyApproval, Succession } from '../port.ts';
import type { Hardware } from './hardware.ts';
import type { CardPlace } from './place.ts';
import { decodeStored } from './stored.ts';

/** An administrator key of the card. Generation 0 founded it: the index's own policy names that one for ever. */
interface Authority {
  readonly name: Bytes;
  readonly key: Bytes;
  /** By the generation before. */
  readonly approval: PolicyApproval | undefined;
}

/** The chain of a card's administrator keys, and how a policy session walks it from any of them to the index. */
export class AuthorityChain {
  readonly #hardware: Hardware;
  readonly #place: CardPlace;
  readonly #parentName: Bytes;
  readonly #authorities: readonly Authority[];

  /** Throws `too-many-successions`. */
  constructor(hardware: Hardware, place: CardPlace, record: CardRecord) {
    if (record.successions.length > MAX_SUCCESSIONS) {
      const detail = `A card takes ${MAX_SUCCESSIONS} administrator keys after its first; then it is reissued.`;
      throw new DomainError('conflict', 'too-many-successions', detail);
    }
    this.#hardware = hardware;
    this.#place = place;
    this.#parentName = record.parentName;
    const founding = { name: record.administratorKeyName, key: record.administratorKey, approval: undefined };
    this.#authorities = [founding, ...record.successions];
  }

  /** The generation of the newest. */
  get newest(): number {
    return this.#authorities.length - 1;
  }

  /** Loads the key of a generation for `work`. Throws `key-blob-refused`. */
  async withKey<T>(generation: number, work: (key: Loaded) => Promise<T>): Promise<T> {
    const { tpm, roots } = this.#hardware;
    const stored = decodeStored(this.#at(generation).key);
    try {
      return await withLoaded(tpm, await roots.named(this.#parentName), stored, work);
    } catch (error) {
      if (!isRefusal(error, RC.INTEGRITY)) throw error;
      const detail = "An administrator key in the store is damaged, or was imported by another device's TPM.";
      throw new DomainError('conflict', 'key-blob-refused', detail, { cause: error });
    }
  }

  /**
   * From where a branch of that generation's policy is satisfied, to the index's own policy: for each step down, its
   * predecessor's approval brings the session into the predecessor's branch "card:self".
   */
  async open(session: PolicySession, generation: number): Promise<void> {
    for (let at = generation; at > 0; at--) {
      const { name, approval } = this.#at(at);
      await session.or(successorPolicies(name).branches);
      await this.approve(session, at - 1, successionApproval(name), approval?.signature ?? new Uint8Array());
    }
    await this.#place.openBranch(session);
  }

  /** TPM2_PolicyAuthorize in the name of that generation, whose `signature` this is. */
  async approve(
    session: PolicySession,
    generation: number,
    { approvedPolicy, digest }: { readonly approvedPolicy: Bytes; readonly digest: Bytes },
    signature: Bytes,
  ): Promise<void> {
    const { tpm } = this.#hardware;
    const ticket = await this.withKey(generation, (key) =>
      verifySignature(tpm, key, digest, answerSignature(signature)),
    );
    await session.authorize(approvedPolicy, CARD_REFS.self, this.#at(generation).name, ticket);
  }

  #at(generation: number): Authority {
    const authority = this.#authorities[generation];
    if (authority === undefined) throw new RangeError('no such generation');
    return authority;
  }
}

/** `successor` is tried as if it were the card's already. Throws as the port says. */
export async function rehearse(
  hardware: Hardware,
  place: CardPlace,
  record: CardRecord,
  successor: Succession,
  rehearsal: PolicyApproval,
): Promise<void> {
  const { tpm } = hardware;
  const chain = new AuthorityChain(hardware, place, { ...record, successions: [...record.successions, successor] });
  try {
    await PolicySession.during(tpm, async (session) => {
      await session.commandCode(TPM_CC.NV_Read);
      await chain.approve(session, chain.newest, rehearsalApproval(), rehearsal.signature);
      await chain.open(session, chain.newest);
      await readNv(tpm, place.written, session.spending(), PIN_COUNTER_BYTES);
    });
  } catch (error) {
    const codes = ['tpm-refused', 'answer-length'];
    if (!isDomainError(error) || !codes.includes(error.code)) throw error;
    // An index that is not this card's refuses everybody.
    throw (await place.unlessIn('written')) ?? refused(error);
  }
}

function refused(cause: unknown): DomainError {
  const detail =
    'The card refused the new administrator key: the approval is not one of its own key for this successor. The card ' +
    'keeps the key it has.';
  return new DomainError('unprocessable', 'successor-refused-by-card', detail, { cause });
}
