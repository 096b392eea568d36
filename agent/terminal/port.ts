import type { Secret } from '@cardwright/protocol';
import type { PinPolicy } from '@cardwright/protocol/pin';

/** Where PINs come from: the keyboard, without echo, or lines of standard input. Never a command line. */
export interface PinSource {
  /** A PIN that keeps to the policy; typed twice at a keyboard. Throws `pin-policy-*`, `pin-mismatch`. */
  choose(what: string, policy: PinPolicy): Promise<Secret>;
  /** A PIN that exists already. */
  enter(what: string): Promise<Secret>;
}

/** Lines that a person or a script gives. */
export interface LineSource {
  /** Null when the input has ended. */
  line(prompt: string): Promise<string | null>;
  /** A person is there, who can be asked again. */
  readonly interactive: boolean;
  close(): void;
}

export interface Output {
  /** The result, for standard output. */
  print(text: string): void;
  /** Progress and hints, for standard error. */
  note(text: string): void;
}

/** Ctrl-C at a prompt. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}
