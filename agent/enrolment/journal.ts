import { DomainError } from '@cardwright/protocol';
import type { SlotState } from '../card/port.ts';
import type { Claim, ContainerPlan } from './claim.ts';

/**
 * The journal of one enrolment: what is known to have happened, stored before the next step is taken, so that the agent
 * can be killed at any point and the same command completes the enrolment or starts it clean. Pure: `advance` is the only
 * way from one state to the next, `nextAction` says what to do in a state, `reconcile` what a restart finds.
 *
 * Bytes are text here (base64, Names in hex), because the journal is stored as JSON.
 */
export interface JournalHeader {
  /** SHA-256 of the normalised code: recognises the code when it is typed again, and is not the code. */
  readonly codeDigest: string;
  readonly server: string;
  readonly startedAt: string;
  /** Whether the server took this device's proof of its hardware; absent until it was tried. */
  readonly attested?: boolean;
  /** A first PIN that nobody has seen, sealed for its holder: stored before the card gets it. */
  readonly sealedPin?: string;
}

export interface WrappedKey {
  readonly keyVersion: number;
  readonly name: string;
  readonly public: string;
  readonly duplicate: string;
  readonly inSymSeed: string;
}

export interface ImportedKey {
  readonly keyVersion: number;
  readonly name: string;
  readonly blob: string;
}

export interface SelfChange {
  readonly approvedPolicy: string;
  readonly signature: string;
}

interface Planned extends ContainerPlan {
  readonly at: 'planned';
}
interface Keyed extends ContainerPlan {
  readonly at: 'keyed';
  readonly blob: string;
}
interface Requested extends ContainerPlan {
  readonly at: 'requested';
  readonly blob: string;
  readonly csr: string;
}
export interface Certified extends ContainerPlan {
  readonly at: 'certified';
  readonly blob: string;
  readonly certificateId: string;
  readonly certificate: string;
  readonly chain: readonly string[];
}
/** One container on its way to a certificate. */
export type ContainerState = Planned | Keyed | Requested | Certified;

export type JournalState =
  | { readonly step: 'claiming' }
  | { readonly step: 'claimed'; readonly claim: Claim }
  | { readonly step: 'key-received'; readonly claim: Claim; readonly wrapped: WrappedKey }
  | { readonly step: 'key-imported'; readonly claim: Claim; readonly key: ImportedKey }
  | { readonly step: 'slot-chosen'; readonly claim: Claim; readonly key: ImportedKey; readonly slot: number }
  | { readonly step: 'prepared'; readonly claim: Claim; readonly key: ImportedKey; readonly slot: number }
  | { readonly step: 'first-write-asked'; readonly claim: Claim; readonly key: ImportedKey; readonly slot: number }
  | {
      readonly step: 'first-write-answered';
      readonly claim: Claim;
      readonly key: ImportedKey;
      readonly slot: number;
      readonly selfChange: SelfChange;
    }
  | WrittenState;

/** The card's frame is finished; what remains are its keys and certificates, then the server's record. */
export interface WrittenState {
  readonly step: 'written';
  readonly claim: Claim;
  readonly key: ImportedKey;
  readonly slot: number;
  readonly selfChange: SelfChange;
  readonly containers: readonly ContainerState[];
}

export type Journal = JournalHeader & { readonly state: JournalState };
/** A journal whose card may be on the device. */
export type PlacedState = Extract<JournalState, { slot: number }>;

export type JournalEvent =
  | { readonly event: 'claimed'; readonly claim: Claim }
  | { readonly event: 'key-received'; readonly wrapped: WrappedKey }
  | { readonly event: 'key-imported'; readonly blob: string }
  | { readonly event: 'slot-chosen'; readonly slot: number }
  | { readonly event: 'prepared' }
  | { readonly event: 'first-write-asked' }
  | { readonly event: 'first-write-answered'; readonly selfChange: SelfChange }
  | { readonly event: 'written' }
  | { readonly event: 'key-made'; readonly container: string; readonly blob: string }
  | { readonly event: 'csr-made'; readonly container: string; readonly csr: string }
  | {
      readonly event: 'certified';
      readonly container: string;
      readonly certificateId: string;
      readonly certificate: string;
      readonly chain: readonly string[];
    }
  /** What was on the device is gone: another administrator key is needed, since a first write is answered only once. */
  | { readonly event: 'started-over' }
  /** The place was taken by something else before ours was made. */
  | { readonly event: 'slot-lost' };

export type JournalAction =
  | { readonly action: 'claim' }
  | { readonly action: 'request-key' }
  | { readonly action: 'import-key'; readonly wrapped: WrappedKey }
  | { readonly action: 'choose-slot' }
  | { readonly action: 'prepare'; readonly slot: number }
  | { readonly action: 'first-write' }
  /** Only in the process that asked: after a restart `reconcile` has replaced this state. */
  | { readonly action: 'await-first-write' }
  | { readonly action: 'make-key'; readonly plan: ContainerPlan }
  | { readonly action: 'make-csr'; readonly plan: Keyed }
  | { readonly action: 'request-certificate'; readonly plan: Requested }
  | { readonly action: 'complete'; readonly containers: readonly Certified[] };

export function startJournal(header: JournalHeader): Journal {
  return { ...header, state: { step: 'claiming' } };
}

export function nextAction(state: JournalState): JournalAction {
  switch (state.step) {
    case 'claiming':
      return { action: 'claim' };
    case 'claimed':
      return { action: 'request-key' };
    case 'key-received':
      return { action: 'import-key', wrapped: state.wrapped };
    case 'key-imported':
      return { action: 'choose-slot' };
    case 'slot-chosen':
      return { action: 'prepare', slot: state.slot };
    case 'prepared':
      return { action: 'first-write' };
    case 'first-write-asked':
    case 'first-write-answered':
      return { action: 'await-first-write' };
    case 'written':
      return nextContainerAction(state);
  }
}

function nextContainerAction(state: WrittenState): JournalAction {
  const certified: Certified[] = [];
  for (const container of state.containers) {
    switch (container.at) {
      case 'planned':
        return { action: 'make-key', plan: container };
      case 'keyed':
        return { action: 'make-csr', plan: container };
      case 'requested':
        return { action: 'request-certificate', plan: container };
      case 'certified':
        certified.push(container);
    }
  }
  return { action: 'complete', containers: certified };
}

/** The state after `event`. An event that can't follow is a defect of ours: `journal-out-of-order` (internal). */
export function advance(journal: Journal, event: JournalEvent): Journal {
  return { ...journal, state: after(journal.state, event) };
}

function after(state: JournalState, event: JournalEvent): JournalState {
  switch (event.event) {
    case 'claimed':
      if (state.step === 'claiming') return { step: 'claimed', claim: event.claim };
      break;
    case 'key-received':
      if (state.step === 'claimed') return { step: 'key-received', claim: state.claim, wrapped: event.wrapped };
      break;
    case 'key-imported':
      if (state.step === 'key-received') {
        const { keyVersion, name } = state.wrapped;
        return { step: 'key-imported', claim: state.claim, key: { keyVersion, name, blob: event.blob } };
      }
      break;
    case 'slot-chosen':
      if (state.step === 'key-imported') return { ...state, step: 'slot-chosen', slot: event.slot };
      break;
    case 'prepared':
      if (state.step === 'slot-chosen') return { ...state, step: 'prepared' };
      break;
    case 'first-write-asked':
      if (state.step === 'prepared') return { ...state, step: 'first-write-asked' };
      break;
    case 'first-write-answered':
      if (state.step === 'first-write-asked') {
        return { ...state, step: 'first-write-answered', selfChange: event.selfChange };
      }
      break;
    case 'written':
      if (state.step === 'first-write-answered') {
        const containers = state.claim.profile.containers.map((plan) => ({ ...plan, at: 'planned' as const }));
        return { ...state, step: 'written', containers };
      }
      break;
    case 'key-made':
    case 'csr-made':
    case 'certified':
      if (state.step === 'written') return { ...state, containers: containersAfter(state.containers, event) };
      break;
    case 'started-over':
      if (state.step !== 'claiming') return { step: 'claimed', claim: state.claim };
      break;
    case 'slot-lost':
      if (state.step === 'slot-chosen') return { step: 'key-imported', claim: state.claim, key: state.key };
      break;
  }
  throw outOfOrder(state.step, event.event);
}

type ContainerEvent = Extract<JournalEvent, { container: string }>;

function containersAfter(containers: readonly ContainerState[], event: ContainerEvent): ContainerState[] {
  let found = false;
  const next = containers.map((container): ContainerState => {
    if (container.container !== event.container) return container;
    found = true;
    const { keyType } = container;
    const plan = { container: container.container, keyType };
    if (event.event === 'key-made' && container.at === 'planned') return { ...plan, at: 'keyed', blob: event.blob };
    if (event.event === 'csr-made' && container.at === 'keyed') {
      return { ...plan, at: 'requested', blob: container.blob, csr: event.csr };
    }
    if (event.event === 'certified' && container.at === 'requested') {
      const { certificateId, certificate, chain } = event;
      return { ...plan, at: 'certified', blob: container.blob, certificateId, certificate, chain };
    }
    throw outOfOrder(container.at, event.event);
  });
  if (!found) throw outOfOrder('no such container', event.event);
  return next;
}

function outOfOrder(step: string, event: string): DomainError {
  return new DomainError(
    'internal',
    'journal-out-of-order',
    `The enrolment journal is at "${step}", where "${event}" can't follow.`,
  );
}

/** What a restart must do before it goes on. `discard`: remove our card's frame from the device first. */
export type Reconciliation =
  | { readonly go: 'on' }
  | { readonly go: 'after'; readonly event: JournalEvent; readonly discard: boolean }
  /** The frame is there, unwritten, with a PIN from an earlier run: it is made anew with the PIN typed now. */
  | { readonly go: 'prepare-again' };

/** Compares the journal with what the device holds in the journal's place. Call it once, when a run begins. */
export function reconcile(state: PlacedState, found: SlotState): Reconciliation {
  const startOver: Reconciliation = { go: 'after', event: { event: 'started-over' }, discard: false };
  const discardFirst: Reconciliation = { ...startOver, discard: true };
  switch (state.step) {
    case 'slot-chosen':
      // Written without an answer that we asked for: the store is older than the device (a restored copy).
      if (found === 'written') return discardFirst;
      return found === 'foreign' ? { go: 'after', event: { event: 'slot-lost' }, discard: false } : { go: 'on' };
    case 'prepared':
      if (found === 'defined') return { go: 'prepare-again' };
      return found === 'written' ? discardFirst : startOver;
    case 'first-write-asked':
      // The answer, if there was one, went with the process that asked, and the server gives no second one.
      return found === 'defined' || found === 'written' ? discardFirst : startOver;
    case 'first-write-answered':
      if (found === 'written') return { go: 'after', event: { event: 'written' }, discard: false };
      return found === 'defined' ? discardFirst : startOver;
    case 'written':
      if (found === 'written') return { go: 'on' };
      return found === 'defined' ? discardFirst : startOver;
  }
}

export function isPlaced(state: JournalState): state is PlacedState {
  return 'slot' in state;
}
