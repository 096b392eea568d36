import type { Lockout } from '../tpm/index.ts';

/** What was found on the device, as it is; `findings.ts` says what it means. */
export interface Facts {
  readonly checkedAt: Date;
  readonly machine: MachineFacts;
  readonly tpm: TpmAnswer;
  readonly store: StoreFacts;
  readonly servers: readonly ServerFacts[];
}

/** The operating system's view of the TPM. */
export interface MachineFacts {
  /** As `--tpm` takes it. */
  readonly tcti: string;
  /** Null where the TPM is not reached through a device node. */
  readonly node: DeviceNode | null;
  /** TPMs that the kernel knows, with the family it found: `2`, `1`, or null where it does not say. */
  readonly kernelTpms: readonly { readonly name: string; readonly family: string | null }[];
  /** Other programs share the TPM with us without disturbing us. */
  readonly managed: boolean;
  readonly user: string;
}

export interface DeviceNode {
  readonly path: string;
  readonly exists: boolean;
  readonly mayOpen: boolean;
  /** Of the node's group, where it has a name. */
  readonly group: string | null;
}

export type TpmAnswer =
  | { readonly answers: true; readonly facts: TpmFacts }
  | { readonly answers: false; readonly code: string; readonly detail: string };

export interface TpmFacts {
  readonly manufacturer: string;
  readonly firmware: string;
  readonly revision: string;
  readonly ownerPasswordSet: boolean;
  readonly hierarchies: { readonly storage: boolean; readonly endorsement: boolean };
  readonly lockout: Lockout;
  readonly pinIndex: PinIndexTrial;
  /** A trial that an interrupted doctor left was found and removed. */
  readonly leftOverRemoved: boolean;
  /** The TPM's own estimate of how many more keys it could keep for good; null where it gives none. */
  readonly roomForKeys: number | null;
  readonly nvIndexes: number;
  /** Where indexes of the card's kind stand, whosever they are; in order, {@link CARD_PLACES_MAX} at most. */
  readonly cardPlaces: readonly number[];
  readonly storageKey: StorageKeyFacts;
  /** NV indexes of the endorsement certificates. */
  readonly endorsementCertificates: readonly number[];
  /** Commands that cards need and this TPM lacks. */
  readonly missingCommands: readonly string[];
  readonly curves: { readonly p256: boolean; readonly p384: boolean };
}

/** No TPM has room for as many. */
export const CARD_PLACES_MAX = 64;

/** How a real definition of an index of the card's kind went. */
export type PinIndexTrial = 'works' | 'unsupported' | 'no-room' | 'owner-password' | { readonly refused: string };

export interface StorageKeyFacts {
  /** `other`: something that is no parent for cards stands at its handle. */
  readonly persistent: 'yes' | 'no' | 'other';
  /** Name, hex; null if it could not be made. */
  readonly name: string | null;
  /** A locked TPM refuses its use: it was made without noDA. */
  readonly stopsWhenLocked: boolean;
}

export interface StoreFacts {
  readonly directory: string;
  readonly exists: boolean;
  /** Why the store can't be read; null if it can. */
  readonly problem: { readonly code: string; readonly detail: string } | null;
  readonly cards: number;
  readonly unfinished: number;
  /** Where its cards stand in the TPM, and those whose enrolment or end is not finished. */
  readonly places: readonly number[];
  /** The process that holds the store's lock now. */
  readonly lockedBy: number | null;
  readonly freeBytes: number | null;
  /** Of the TPM that the store belongs to, hex; null: none yet. */
  readonly storageKeyName: string | null;
}

export type ServerFacts = { readonly url: string } & (
  | { readonly reached: true; readonly clockAheadSeconds: number | null }
  | { readonly reached: false; readonly code: string; readonly detail: string }
);
