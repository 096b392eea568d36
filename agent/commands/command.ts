import type { OptionSpecs, Options } from '../arguments.ts';
import { flag, text } from '../arguments.ts';
import type { MinidriverCards } from '../card/minidriver/port.ts';
import type { CardMaker } from '../card/port.ts';
import type { Probes } from '../doctor/probes.ts';
import type { FaultPoint } from '../faults.ts';
import type { LockoutPort } from '../lockout/port.ts';
import type { DeviceServer, EnrolmentServer, RenewalServer, TaskServer } from '../server/port.ts';
import type { ServerLimits } from '../server/server.http.ts';
import type { ServerCa } from '../server/server-ca.ts';
import type { ServiceHost } from '../service/port.ts';
import type { KnownServer } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import type { LineSource, Output, PinSource } from '../terminal/port.ts';

/** What commands are given by `main.ts`, which alone knows processes, terminals, files and hardware. */
export interface Context {
  readonly output: Output;
  readonly point: FaultPoint;
  readonly host: { readonly name: string; readonly platform: string };
  /** Of the terminal that standard output is; null where it is none. */
  columns(): number | null;
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
  /** Waits for `work`, and lets a person at a terminal know that it goes on if it takes long. */
  patience<T>(what: string, work: Promise<T>): Promise<T>;
  randomBytes(length: number): Uint8Array;
  /** `fromStdin`: lines of standard input; else the keyboard (`terminal-missing` if there is none). */
  pins(fromStdin: boolean): PinSource;
  lines(fromStdin: boolean): LineSource;
  /** Reading only. */
  readStore(directory: string | undefined): Store;
  /** Nobody else changes the store until `work` is done. Throws `store-locked`. */
  changeStore<T>(directory: string | undefined, work: (store: Store) => Promise<T>): Promise<T>;
  /** The cards of this device, given back when `work` is done. */
  useCards<T>(tpm: string | undefined, work: (cards: CardMaker) => Promise<T>): Promise<T>;
  /** The cards in this device's readers. Throws `pcsc-unavailable`. */
  useCardReaders<T>(work: (cards: MinidriverCards) => Promise<T>): Promise<T>;
  server(known: KnownServer, limits?: ServerLimits): EnrolmentServer & DeviceServer & TaskServer & RenewalServer;
  /** Meets a server for the first time, or anew. Null for clear http, where there is nothing to pin. */
  caOfServer(url: string): Promise<ServerCa | null>;
  readonly files: Files;
  /** The lockout of this device's hardware, given back when `work` is done. */
  useLockout<T>(tpm: string | undefined, work: (lockout: LockoutPort) => Promise<T>): Promise<T>;
  /** For `doctor`. */
  readonly probes: Probes;
  /** For `run`. */
  readonly service: ServiceHost;
}

export interface Files {
  /** SHA-256 of a file of any size. Throws `file-unreadable` (not-found). */
  sha256(path: string): Promise<Uint8Array>;
  /** Throws `file-unwritable`. */
  write(path: string, content: Uint8Array | string): void;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Whole sentences, for `--help`. */
  readonly about: string;
  /** A word that follows the name, one of a few; everything else is said by options. */
  readonly word?: { readonly name: string; readonly values: readonly string[]; readonly about: string };
  readonly options: OptionSpecs;
  readonly examples: readonly string[];
  /** `word`: one of those that are taken, if the command takes one. */
  run(context: Context, options: Options<OptionSpecs>, word: string): Promise<void>;
}

/** Keeps the options' types between their description and `run`. */
export function command<S extends OptionSpecs>(
  described: Omit<Command, 'options' | 'run'> & {
    readonly options: S;
    run(context: Context, options: Options<S>, word: string): Promise<void>;
  },
): Command {
  return { ...described, run: (context, options, word) => described.run(context, options as Options<S>, word) };
}

export const deviceOptions = {
  tpm: text('TCTI', 'the TPM: device:/dev/tpmrm0 (the default), swtpm:host=127.0.0.1,port=2321 or swtpm:path=/x.sock'),
  store: text('DIR', 'where the agent keeps its cards: ~/.local/share/cardwright, or /var/lib/cardwright for root'),
} as const;

export const jsonOption = { json: flag('print JSON, errors too (on standard error)') } as const;
export const cardOption = { card: text('SERIAL', 'which card, if there are several') } as const;
export const pinOption = { 'pin-stdin': flag('read PINs from standard input, a line each') } as const;
