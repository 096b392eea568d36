import type { OptionSpecs, Options } from '../arguments.ts';
import { flag, text } from '../arguments.ts';
import type { CardMaker } from '../card/port.ts';
import type { Probes } from '../doctor/probes.ts';
import type { FaultPoint } from '../faults.ts';
import type { DeviceServer, EnrolmentServer, TaskServer } from '../server/port.ts';
import type { ServiceHost } from '../service/port.ts';
import type { Store } from '../store/store.ts';
import type { LineSource, Output, PinSource } from '../terminal/port.ts';

/** What commands are given by `main.ts`, which alone knows processes, terminals, files and hardware. */
export interface Context {
  readonly output: Output;
  readonly point: FaultPoint;
  readonly host: { readonly name: string; readonly platform: string };
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
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
  server(options: {
    readonly baseUrl: string;
    readonly deviceToken: string;
    readonly timeoutMs?: number;
    readonly attempts?: number;
  }): EnrolmentServer & DeviceServer & TaskServer;
  readonly files: Files;
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
  readonly options: OptionSpecs;
  readonly examples: readonly string[];
  run(context: Context, options: Options<OptionSpecs>): Promise<void>;
}

/** Keeps the options' types between their description and `run`. */
export function command<S extends OptionSpecs>(
  described: Omit<Command, 'options' | 'run'> & {
    readonly options: S;
    run(context: Context, options: Options<S>): Promise<void>;
  },
): Command {
  return { ...described, run: (context, options) => described.run(context, options as Options<S>) };
}

export const deviceOptions = {
  tpm: text('TCTI', 'the TPM: device:/dev/tpmrm0 (the default), swtpm:host=127.0.0.1,port=2321 or swtpm:path=/x.sock'),
  store: text('DIR', 'where the agent keeps its cards: ~/.local/share/cardwright, or /var/lib/cardwright for root'),
} as const;

export const jsonOption = { json: flag('print JSON, errors too (on standard error)') } as const;
export const cardOption = { card: text('SERIAL', 'which card, if there are several') } as const;
export const pinOption = { 'pin-stdin': flag('read PINs from standard input, a line each') } as const;
