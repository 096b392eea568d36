import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { expect } from 'vitest';
import { responseOf } from './crash/resets.ts';
import type { Device } from './device.ts';
import { type GidsCard, gidsCard } from './gids-card.ts';
import type { TestPcscd } from './pcscd.ts';
import { enrolledCard, registerPerson } from './people.ts';
import { start } from './run.ts';
import { runFolder } from './run-folder.ts';
import { sealKey } from './seal-key.ts';
import type { TestSystem } from './system.ts';

/** As Microsoft's tools leave it: a card that still has it is unmanaged in fact (card-protocols.md). */
export const DEFAULT_KEY = Buffer.from('010203040506070801020304050607080102030405060708', 'hex');

/** A device that cms knows: by its first TPM card. */
export async function enrolledDevice(system: TestSystem, device: Device): Promise<string> {
  const { cardId } = await enrolledCard(system, device, '618294', 'Device Owner');
  return (await system.as('auditor').get(`/cards/${cardId}`)).body.deviceId;
}

export interface CardInReader {
  readonly id: string;
  readonly serial: string;
  readonly card: GidsCard;
}

/** A virtual GIDS card with that key, not yet in a reader. */
export function newGidsCard(administratorKey: Buffer, algorithm: 'tdes' | 'aes' = 'tdes'): GidsCard {
  const file = join(mkdtempSync(join(runFolder(), 'card-')), 'card.json');
  const serial = randomBytes(16).toString('hex').toUpperCase();
  return gidsCard({ file, serial, administratorKey, pin: '271828', algorithm });
}

/** Registered for a new person on that device, its key sealed to the vault as the console does it. */
export async function registered(
  system: TestSystem,
  deviceId: string,
  card: GidsCard,
  { takeOver = true, algorithm = 'tdes' } = {},
): Promise<CardInReader> {
  const { id: personId } = await registerPerson(system, 'Ada Lovelace');
  const administratorKey = await sealKey(system, card.serial, card.administratorKey().toString('hex'));
  const body = { personId, deviceId, serial: card.serial, algorithm, administratorKey, takeOver };
  const made = await system.as('security-officer').post('/cards', body);
  if (made.status !== 201) throw new Error(`not registered: ${JSON.stringify(made.body)}`);
  return { id: made.body.id, serial: card.serial, card };
}

/**
 * The person has forgotten the PIN: the card's challenge is answered by the product, and a new PIN set. On the card's side
 * stands opensc-explorer, which is not ours; no administrator key is anywhere near it.
 */
export async function pinIsResetInReader(system: TestSystem, pcscd: TestPcscd, { id }: CardInReader): Promise<void> {
  const pin = Buffer.from(`7${randomBytes(3).toString('hex')}`);
  const explorer = await startExplorer(pcscd);
  try {
    expect(await explorer.apdu('0022C1A403830180')).toBe('9000');
    const asked = await explorer.apdu('00870000047C02810000');
    expect(asked).toMatch(/^7C0A8108[0-9A-F]{16}9000$|^7C128110[0-9A-F]{32}9000$/);
    const response = (await responseOf(system, id, asked.slice(8, -4))).replaceAll(/\s/g, '').toUpperCase();
    const length = (bytes: number) => bytes.toString(16).padStart(2, '0').toUpperCase();
    const bytes = response.length / 2;
    const answer = `00870000${length(bytes + 4)}7C${length(bytes + 2)}82${length(bytes)}${response}00`;
    expect(await explorer.apdu(answer), 'the card takes the answer').toBe('9000');
    const data = `${length(pin.length)}${pin.toString('hex')}`;
    expect(await explorer.apdu(`002C0280${data}`)).toBe('9000');
    expect(await explorer.apdu(`00200080${data}`), 'the new PIN is the PIN').toBe('9000');
  } finally {
    await explorer.end();
  }
}

/** opensc-explorer on the first reader: carries APDUs in hexadecimal to the card and shows the answers. */
async function startExplorer(pcscd: TestPcscd) {
  const program = start('opensc-explorer', ['-r', '0', '-c', 'gids', '-m', ''], { env: pcscd.env, seconds: 60 });
  let over = false;
  void program.ended.then(() => {
    over = true;
  });
  const prompts = () => program.output().split('OpenSC []> ').length - 1;
  const prompted = (count: number) =>
    until({ what: 'opensc-explorer', seconds: 30, everyMs: 5 }, () => {
      if (over) throw new Error(`opensc-explorer ended: ${program.output()}`);
      return prompts() >= count;
    });
  await prompted(1);
  return {
    async apdu(command: string): Promise<string> {
      const [before, from] = [prompts(), program.output().length];
      program.child.stdin?.write(`apdu ${command}\n`);
      await prompted(before + 1);
      const shown = program.output().slice(from);
      const [, sw1, sw2, rest = ''] =
        /Received \(SW1=0x(..), SW2=0x(..)\):?\n([\s\S]*)OpenSC \[\]> $/.exec(shown) ?? ([] as string[]);
      if (sw1 === undefined) throw new Error(`no answer in: ${shown}`);
      const data = rest.split('\n').map((line) => /^((?:[0-9A-F]{2} ?)+)(?= |$)/.exec(line)?.[1] ?? '');
      return data.join('').replaceAll(' ', '') + sw1 + sw2;
    },
    end: async () => {
      program.child.stdin?.end('quit\n');
      await program.ended;
    },
  };
}
