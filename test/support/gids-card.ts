import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { until } from '@cardwright/infra';
import { type Accident, GidsApplet, type GidsState } from './gids-card-applet.ts';
import type { TestPcscd } from './pcscd.ts';

/**
 * A virtual GIDS card: a stand-in for a physical card, which can't be had here, and for a Windows virtual smart card, which
 * speaks GIDS too. It is put into the real vpcd of a real pcscd; OpenSC's tools, which are not ours, show that it is a GIDS
 * card (they initialise it, dump it and unblock it). Like a card it keeps what it was told through everything: its state
 * is in a file before it answers.
 */
export interface GidsCard {
  /** 16 bytes, hexadecimal: what `opensc-tool --serial` shows. */
  readonly serial: string;
  /** What it was asked, and how it answered, in the order of time: `<INS> <SW>`. */
  readonly asked: string[];
  /** Its administrator key as it is now: what only the card itself knows. */
  administratorKey(): Buffer;
  /** Happens at the next command of that kind, once. */
  arm(accident: Accident): void;
  /** Called before and after each command is carried out, which waits for it. True before: it is not. */
  onCommand(step: CardStep): void;
  insert(pcscd: TestPcscd, slot?: 0 | 1): Promise<void>;
  /** Out of the reader, without a word. */
  pull(): void;
}

export type CardStep = (ins: number, phase: 'before' | 'after') => Promise<boolean>;

export interface GidsOptions {
  readonly file: string;
  readonly serial: string;
  /** Absent: a blank card, which gids-tool initialises. */
  readonly administratorKey?: Buffer;
  readonly pin?: string;
  readonly algorithm?: 'tdes' | 'aes';
}

export function gidsCard(options: GidsOptions): GidsCard {
  const keep = (state: GidsState) => {
    writeFileSync(`${options.file}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${options.file}.new`, options.file);
  };
  keep(GidsApplet.born(options));
  let socket: Socket | undefined;
  let step: CardStep | undefined;
  const pull = () => {
    socket?.destroy();
    socket = undefined;
  };
  const applet = new GidsApplet(JSON.parse(readFileSync(options.file, 'utf8')) as GidsState, keep, pull);
  return {
    serial: options.serial,
    asked: applet.asked,
    administratorKey: () => applet.administratorKey(),
    arm: (accident) => applet.arm(accident),
    onCommand: (wanted) => {
      step = wanted;
    },
    async insert(pcscd, slot = 0) {
      pull();
      await seenInReader(pcscd, slot, false);
      const ready = new Promise<void>((resolve, reject) => {
        const fresh = connect({ host: '127.0.0.1', port: pcscd.ports[slot], noDelay: true });
        fresh.once('error', reject);
        fresh.once('connect', () => {
          fresh.removeAllListeners('error');
          fresh.on('error', () => undefined);
          resolve();
        });
        socket = fresh;
        serve(fresh, applet, () => step);
      });
      await ready;
      await seenInReader(pcscd, slot, true);
    },
    pull,
  };
}

/** vpcd: two bytes of length, big-endian, then the message; one byte is a control, anything longer an APDU. */
function serve(socket: Socket, applet: GidsApplet, step: () => CardStep | undefined): void {
  let received: Buffer = Buffer.alloc(0);
  let last: Promise<void> = Promise.resolve();
  const say = (bytes: Uint8Array) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    if (!socket.destroyed) socket.write(Buffer.concat([length, bytes]));
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
      const message = received.subarray(2, 2 + received.readUInt16BE());
      received = received.subarray(2 + message.length);
      const kept = Buffer.from(message);
      last = last.then(() => handle(kept));
    }
  });

  async function handle(message: Buffer): Promise<void> {
    if (message.length === 1) {
      if (message[0] === CONTROL.answerToReset) say(ANSWER_TO_RESET);
      else applet.powerCycle();
      return;
    }
    const ins = message[1] ?? 0;
    // Whoever asked has died: the card never heard it, or says its answer to nobody.
    if (await step()?.(ins, 'before')) return say(NOT_DONE);
    const answer = applet.process(message);
    await step()?.(ins, 'after');
    if (answer !== null) say(answer);
  }
}

/** SW of a card that did not do what it was asked. */
const NOT_DONE = Buffer.from('6F00', 'hex');

const CONTROL = { answerToReset: 4 } as const;
const ANSWER_TO_RESET = Buffer.from('3B8D0180FBA000000397425446590401CF', 'hex');

/** pcscd looks for cards a few times a second. */
async function seenInReader(pcscd: TestPcscd, slot: 0 | 1, there: boolean): Promise<void> {
  const what = there ? 'pcscd to see the card' : 'pcscd to see that the card has gone';
  await until({ what, seconds: 20 }, () => pcscd.sees(slot) === there);
}
