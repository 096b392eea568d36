import type { Secret } from '@cardwright/protocol';
import type { PinPolicy } from '@cardwright/protocol/pin';
import type { CardMaker } from '../card/port.ts';
import type { EnrolmentServer } from '../server/port.ts';
import type { KnownServer } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import type { ProofSigner } from './proof.ts';

/** What an enrolment needs from outside. The store is locked by the caller for the whole of it. */
export interface EnrolmentPorts {
  readonly store: Store;
  readonly cards: CardMaker;
  readonly host: { readonly name: string; readonly platform: string };
  readonly pins: {
    choose(what: string, policy: PinPolicy): Promise<Secret>;
    enter(what: string): Promise<Secret>;
  };
  server(known: KnownServer): EnrolmentServer;
  /** Null for clear http. */
  caOfServer(url: string): Promise<{ readonly certificate: Uint8Array } | null>;
  /** Of a certificate that the person has already; null if none was named. */
  readonly signer: ProofSigner | null;
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
  /** For the operator who looks on while the PIN is set. */
  showConfirmationCode(cardSerial: string, code: string): void;
  randomBytes(length: number): Uint8Array;
  /** A step for the person to see. */
  progress(text: string): void;
  /** Waits for `work`, and lets the person know that it goes on if it takes long. */
  patience<T>(what: string, work: Promise<T>): Promise<T>;
}

export interface EnrolmentRequest {
  /** As `serverAddress` gave it. */
  readonly server: string;
  /** As typed. */
  readonly code: string;
  /** Throw away what an interrupted run made, and take a new PIN. */
  readonly startOver: boolean;
}
