import { createHash } from 'node:crypto';
import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { enrolmentProofStatement } from '@cardwright/protocol/enrolment';
import { attestDevice, evidenceOf, mayBeOtherwise, type TextEvidence } from '../attestation/attest-device.ts';
import type { Bytes, Card, SlotState } from '../card/port.ts';
import type { EnrolmentServer } from '../server/port.ts';
import { recordOf } from '../store/card-record.ts';
import type { StoredCard } from '../store/document.ts';
import { checkIssued } from './certificate-check.ts';
import type { Claim } from './claim.ts';
import { certificationRequest, certificationRequestInfo } from './csr.ts';
import { awaitSupervision, needsPin, sealedFirstPin, storedHandOver } from './first-pin.ts';
import {
  advance,
  type Certified,
  isPlaced,
  type Journal,
  type JournalEvent,
  nextAction,
  type PlacedState,
  type WrittenState,
} from './journal.ts';
import type { EnrolmentPorts } from './ports.ts';
import { signerMissing } from './proof.ts';

const bytes = (base64: string) => Buffer.from(base64, 'base64');
const base64 = (value: Bytes) => Buffer.from(value).toString('base64');

/** Does what the journal says is next, one step at a time, each outcome stored before the next step. */
export class CardWork {
  readonly #ports: EnrolmentPorts;
  readonly #server: EnrolmentServer;
  readonly #parentName: Bytes;
  readonly #save: (journal: Journal) => Journal;
  /** Whether the frame on the device has the PIN of this run. */
  #preparedHere = false;

  constructor(ports: EnrolmentPorts, server: EnrolmentServer, parentName: Bytes, save: (journal: Journal) => Journal) {
    this.#ports = ports;
    this.#server = server;
    this.#parentName = parentName;
    this.#save = save;
  }

  slotState(state: PlacedState): Promise<SlotState> {
    return this.#ports.cards.slotState(state.slot, Buffer.from(state.key.name, 'hex'));
  }

  /** Removes the enrolment's card from the device, if it is there. What is not ours is never touched. */
  async clear({ state }: Journal): Promise<void> {
    if (!isPlaced(state)) return;
    const found = await this.slotState(state);
    if (found === 'defined' || found === 'written') {
      await this.#ports.cards.discard(state.slot, Buffer.from(state.key.name, 'hex'));
    }
  }

  async abandon(journal: Journal): Promise<void> {
    await this.clear(journal);
    this.#ports.store.dropJournal(journal);
  }

  /** Unfinished enrolments of the same person at the same server give way: never two half-made cards of one person. */
  async clearSuperseded(current: Journal, claim: Claim): Promise<void> {
    for (const other of this.#ports.store.document.enrolments) {
      if (other.server !== current.server || other.codeDigest === current.codeDigest) continue;
      const { state } = other;
      if (state.step === 'claiming') continue;
      if (state.claim.person.userPrincipalName !== claim.person.userPrincipalName) continue;
      this.#ports.progress(`Clearing away the unfinished card ${state.claim.cardSerial}`);
      await this.abandon(other);
    }
  }

  /** For a card that the server has as completed already: only our own record is missing. */
  async finish(journal: Journal): Promise<StoredCard> {
    const next = nextAction(journal.state);
    if (next.action === 'complete') {
      this.#ports.progress('The card was completed by an earlier run: its PIN is the one that was chosen then');
      return await this.#complete(journal, next.containers);
    }
    throw new DomainError(
      'conflict',
      'enrolment-already-completed',
      'This enrolment was completed, but the store has no card of it (was an older copy restored?). Ask for a new code.',
    );
  }

  async run(begun: Journal): Promise<StoredCard> {
    const { journal: first, pin } = await this.#firstPin(begun);
    try {
      let journal = first;
      for (;;) {
        const next = await this.#step(journal, pin);
        if ('card' in next) return next.card;
        journal = next.journal;
      }
    } finally {
      pin?.wipe();
    }
  }

  /** A PIN that nobody is to see is sealed, and that stored, before the card gets it; gone with its process, it is made anew. */
  async #firstPin(journal: Journal): Promise<{ journal: Journal; pin: Secret | null }> {
    const { state } = journal;
    if (state.step === 'claiming' || state.claim.initialPin !== 'handed-over') {
      return { journal, pin: await this.#askPin(journal) };
    }
    if (!needsPin(state)) return { journal, pin: null };
    const { pin, envelope } = sealedFirstPin(state.claim, this.#ports.randomBytes);
    return { journal: this.#save({ ...journal, sealedPin: envelope }), pin };
  }

  /** Before the frame is finished the PIN typed now becomes the card's; after that it must be the card's. */
  async #askPin({ state }: Journal): Promise<Secret> {
    if (state.step === 'claiming') throw new DomainError('internal', 'journal-out-of-order', 'No claim yet.');
    if (state.step !== 'written') {
      return this.#ports.pins.choose(
        `PIN for ${state.claim.person.displayName}'s new card`,
        state.claim.profile.pinPolicy,
      );
    }
    this.#ports.progress(`Going on with card ${state.claim.cardSerial}, begun earlier`);
    const pin = await this.#ports.pins.enter('The PIN that you chose for it');
    try {
      await this.#verifyPin(state, pin);
    } catch (error) {
      pin.wipe();
      throw error;
    }
    return pin;
  }

  /** Uses the PIN once, so that no run ends well with a PIN that isn't the card's. */
  async #verifyPin(state: WrittenState, pin: Secret): Promise<void> {
    const key = state.containers.find((container) => container.at !== 'planned');
    // With no key yet, the first request's signature will be the proof.
    if (key === undefined) return;
    await this.#withPinHint(() =>
      this.#card(state).sign({ key: bytes(key.blob), hash: 'sha256', digest: this.#ports.randomBytes(32), pin }),
    );
  }

  async #withPinHint<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isDomainError(error) || (error.code !== 'pin-wrong' && error.code !== 'card-blocked')) throw error;
      throw new DomainError(
        error.kind,
        error.code,
        `${error.detail.replace(/\.$/, '')}. This card was begun with another PIN. Type that one, or add --start-over to make the card ` +
          'anew with a new PIN.',
        { ...(error.data === undefined ? {} : { data: error.data }), cause: error },
      );
    }
  }

  #card(state: WrittenState): Card {
    const { pinLimit } = state.claim.profile;
    return this.#ports.cards.open(recordOf({ slot: state.slot, key: state.key, pinLimit }, this.#parentName));
  }

  async #step(journal: Journal, pin: Secret | null): Promise<{ journal: Journal } | { card: StoredCard }> {
    const { state } = journal;
    const next = nextAction(state);
    const { cards, progress } = this.#ports;
    const after = (event: JournalEvent) => ({ journal: this.#save(advance(journal, event)) });
    if (state.step === 'claiming') throw new DomainError('internal', 'journal-out-of-order', 'No claim yet.');
    const { enrolmentId } = state.claim;
    switch (next.action) {
      case 'request-key': {
        const { attestation } = state.claim.profile;
        if (attestation !== 'off' && journal.attested === undefined) {
          return { journal: this.#save({ ...journal, attested: await this.#attest(attestation) }) };
        }
        progress('Asking for an administrator key');
        const { public: parentPublic } = await cards.parent();
        const wrapped = await this.#server.administratorKey(enrolmentId, base64(parentPublic));
        return after({ event: 'key-received', wrapped });
      }
      case 'import-key': {
        const { name, public: area, duplicate, inSymSeed } = next.wrapped;
        const blob = await cards.importAdministratorKey({
          name: Buffer.from(name, 'hex'),
          public: bytes(area),
          duplicate: bytes(duplicate),
          inSymSeed: bytes(inSymSeed),
        });
        return after({ event: 'key-imported', blob: base64(blob) });
      }
      case 'choose-slot':
        return after({ event: 'slot-chosen', slot: await cards.chooseSlot() });
      case 'prepare':
        progress('Making the card');
        await this.#prepare(journal, known(pin));
        return after({ event: 'prepared' });
      case 'first-write':
        progress("Fixing the card's rules with the server");
        return { journal: await this.#firstWrite(journal, known(pin)) };
      case 'make-key': {
        const what = `Making the key for ${next.plan.container}`;
        progress(what);
        const blob = await this.#ports.patience(what, cards.makeKey(this.#record(journal), next.plan.keyType));
        return after({ event: 'key-made', container: next.plan.container, blob: base64(blob) });
      }
      case 'make-csr': {
        const { container, keyType, blob } = next.plan;
        const csr = await this.#request(journal, { keyType, blob }, known(pin));
        return after({ event: 'csr-made', container, csr: base64(csr) });
      }
      case 'request-certificate': {
        if (state.claim.initialPin === 'supervised') await awaitSupervision(this.#ports, this.#server, state.claim);
        progress(`Requesting the certificate for ${next.plan.container}`);
        const { container, csr, blob } = next.plan;
        const evidence = await this.#evidence(journal, bytes(blob));
        const proof = await this.#proof(state.claim, container, csr);
        const wanted = { container, csr, ...(evidence === undefined ? {} : { evidence }), ...proof };
        const issued = await this.#server.certificate(enrolmentId, wanted);
        checkIssued({
          certificate: bytes(issued.certificate),
          chain: issued.chain.map(bytes),
          publicKey: cards.keyPublic(bytes(blob)),
          now: this.#ports.now(),
        });
        const { certificateId, certificate, chain } = issued;
        return after({ event: 'certified', container, certificateId, certificate, chain });
      }
      case 'complete':
        progress('Completing the enrolment');
        return { card: await this.#complete(journal, next.containers) };
      case 'claim':
      case 'await-first-write':
        throw new DomainError('internal', 'journal-out-of-order', `No step begins at "${next.action}".`);
    }
  }

  /** Where it is only preferred, a card is made also for a device that can't prove its hardware. */
  async #attest(policy: 'required' | 'preferred'): Promise<boolean> {
    const { cards, progress } = this.#ports;
    progress("Proving this device's TPM to the server");
    try {
      await attestDevice(cards.attestation(), this.#server);
      return true;
    } catch (error) {
      if (policy === 'required' || !isDomainError(error) || !mayBeOtherwise(error)) throw error;
      progress(`The TPM is not proven, and need not be: ${error.detail} [${error.code}]`);
      return false;
    }
  }

  /** Made anew each time it is asked for: a nonce is good for minutes, and the key's making can be proven at any time. */
  async #evidence(journal: Journal, key: Bytes): Promise<TextEvidence | undefined> {
    if (journal.attested !== true) return undefined;
    return evidenceOf(this.#ports.cards.attestation(), this.#server, this.#record(journal), key);
  }

  /** Made anew each time it is asked for: its nonce is taken once. */
  async #proof(claim: Claim, container: string, csr: string): Promise<{ proof?: { jws: string } }> {
    if (claim.method !== 'existing-certificate') return {};
    const { signer } = this.#ports;
    if (signer === null) throw signerMissing();
    const { enrolmentId, cardSerial } = claim;
    const statement = enrolmentProofStatement({
      ...{ enrolmentId, cardSerial, container },
      nonce: bytes(await this.#server.proofNonce(enrolmentId)),
      requestHash: createHash('sha256').update(bytes(csr)).digest(),
    });
    return { proof: { jws: await signer.sign(statement) } };
  }

  #record(journal: Journal) {
    const { state } = journal;
    if (!isPlaced(state)) throw new DomainError('internal', 'journal-out-of-order', 'There is no card yet.');
    return recordOf({ slot: state.slot, key: state.key, pinLimit: state.claim.profile.pinLimit }, this.#parentName);
  }

  async #prepare(journal: Journal, pin: Secret): Promise<void> {
    const record = this.#record(journal);
    await this.#ports.cards.prepare(record.slot, record.administratorKeyName, pin);
    this.#preparedHere = true;
  }

  /**
   * The server signs the first write of an administrator key once in its life. So the intent is stored before it is
   * asked, and its answer (with the approval that later lets the person change the PIN) before it is used.
   */
  async #firstWrite(prepared: Journal, pin: Secret): Promise<Journal> {
    const record = this.#record(prepared);
    const { state } = prepared;
    if (state.step !== 'prepared')
      throw new DomainError('internal', 'journal-out-of-order', 'The card is not prepared.');
    // Made anew with the PIN of this run: one from an interrupted run, perhaps forgotten, never stays.
    if (!this.#preparedHere) await this.#prepare(prepared, pin);
    const challenge = await this.#ports.cards.firstWriteChallenge(record);
    try {
      const asked = this.#save(advance(prepared, { event: 'first-write-asked' }));
      const answer = await this.#server.firstWrite(state.claim.enrolmentId, {
        keyVersion: state.key.keyVersion,
        nvIndex: state.slot,
        nonce: base64(challenge.nonce),
      });
      const answered = this.#save(advance(asked, { event: 'first-write-answered', selfChange: answer.selfChange }));
      await challenge.finish(bytes(answer.answer));
      return this.#save(advance(answered, { event: 'written' }));
    } finally {
      await challenge.abandon();
    }
  }

  async #request(
    journal: Journal,
    key: { keyType: Certified['keyType']; blob: string },
    pin: Secret,
  ): Promise<Uint8Array> {
    const { state } = journal;
    if (state.step !== 'written') throw new DomainError('internal', 'journal-out-of-order', 'The card is not written.');
    const blob = bytes(key.blob);
    const { keyType } = key;
    const publicKey = this.#ports.cards.keyPublic(blob);
    const { info, hash, digest } = certificationRequestInfo(publicKey, state.claim.cardSerial, keyType);
    const signature = await this.#withPinHint(() => this.#card(state).sign({ key: blob, hash, digest, pin }));
    return certificationRequest(info, keyType, signature);
  }

  async #complete(journal: Journal, containers: readonly Certified[]): Promise<StoredCard> {
    const { state } = journal;
    if (state.step !== 'written') throw new DomainError('internal', 'journal-out-of-order', 'The card is not written.');
    const { claim, slot, key, selfChange } = state;
    await this.#server.complete(claim.enrolmentId, slot);
    const card: StoredCard = {
      cardId: claim.cardId,
      serial: claim.cardSerial,
      server: journal.server,
      enrolmentId: claim.enrolmentId,
      codeDigest: journal.codeDigest,
      person: claim.person,
      slot,
      pinLimit: claim.profile.pinLimit,
      pinPolicy: claim.profile.pinPolicy,
      key,
      successions: [],
      selfChange,
      keys: containers.map(({ container, keyType, blob, certificateId, certificate, chain }) => ({
        container,
        keyType,
        blob,
        certificateId,
        certificate,
        chain: [...chain],
      })),
      state: 'active',
      enrolledAt: this.#ports.now().toISOString(),
      handOver: storedHandOver(claim, journal.sealedPin),
    };
    this.#ports.store.finishJournal(journal, card);
    return card;
  }
}

function known(pin: Secret | null): Secret {
  if (pin === null) throw new DomainError('internal', 'journal-out-of-order', 'This step needs the PIN.');
  return pin;
}
