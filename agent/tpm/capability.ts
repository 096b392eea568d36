import { TPM_CC, Writer } from '@cardwright/protocol/tpm';
import type { Tpm } from './tpm.ts';
import { malformed } from './transport-errors.ts';

const CAP_HANDLES = 1;
const CAP_COMMANDS = 2;
const CAP_PROPERTIES = 6;
const CAP_ECC_CURVES = 8;
const PER_QUERY = 254;
/** More than any TPM has; bounds what a broken one can make us read. */
const MAX_HANDLES = 4096;

const PROPERTY = { revision: 0x102, manufacturer: 0x105, firmware1: 0x10b, firmware2: 0x10c } as const;
const HT = { loadedSession: 0x02000000, transient: 0x80000000 } as const;

export interface TpmFacts {
  readonly manufacturer: string;
  readonly firmware: string;
  readonly revision: string;
}

/** Fixed properties, Part 2 section 6.13: who made it, firmware `a.b.c.d`, library revision as `1.64`. */
export async function describeTpm(tpm: Tpm): Promise<TpmFacts> {
  const values = await readProperties(tpm, 0x100, 32);
  const value = (property: number): number => values.get(property) ?? 0;
  const revision = value(PROPERTY.revision);
  return {
    manufacturer: fourLetters(value(PROPERTY.manufacturer)),
    firmware: [value(PROPERTY.firmware1), value(PROPERTY.firmware2)]
      .flatMap((word) => [word >>> 16, word & 0xffff])
      .join('.'),
    revision: `${Math.floor(revision / 100)}.${String(revision % 100).padStart(2, '0')}`,
  };
}

/** Properties from `first` on, as far as the TPM has them: Part 2, sections 6.13 (fixed) and 6.14 (variable). */
export async function readProperties(tpm: Tpm, first: number, most: number): Promise<ReadonlyMap<number, number>> {
  const { parameters } = await query(tpm, CAP_PROPERTIES, first, most);
  const count = parameters.u32('property count');
  if (count > 256) throw malformed(`${count} properties`);
  const values = new Map<number, number>();
  for (let i = 0; i < count; i++) values.set(parameters.u32('property'), parameters.u32('value'));
  return values;
}

/** TPM_CCs of the commands that the TPM has, without a vendor's own. */
export async function commandCodes(tpm: Tpm): Promise<ReadonlySet<number>> {
  const { parameters } = await query(tpm, CAP_COMMANDS, 0x11f, PER_QUERY);
  const count = parameters.u32('command count');
  if (count > 1024) throw malformed(`${count} commands`);
  const codes = new Set<number>();
  // TPMA_CC, Part 2 section 8.9: the low half is the command, bit 29 says that it is the vendor's.
  for (let i = 0; i < count; i++) {
    const attributes = parameters.u32('command');
    if ((attributes & 0x20000000) === 0) codes.add(attributes & 0xffff);
  }
  return codes;
}

/** TPM_ECC_CURVEs. */
export async function eccCurves(tpm: Tpm): Promise<ReadonlySet<number>> {
  const { parameters } = await query(tpm, CAP_ECC_CURVES, 0, PER_QUERY);
  const count = parameters.u32('curve count');
  if (count > 256) throw malformed(`${count} curves`);
  return new Set(Array.from({ length: count }, () => parameters.u16('curve')));
}

/** Handles in use, from `first` to `last`, in order. */
export async function handlesInUse(tpm: Tpm, first: number, last: number): Promise<number[]> {
  const found: number[] = [];
  for (let next = first; found.length < MAX_HANDLES; ) {
    const { parameters, more } = await query(tpm, CAP_HANDLES, next, PER_QUERY);
    const count = parameters.u32('handle count');
    if (count > 1024) throw malformed(`${count} handles`);
    let highest = next - 1;
    for (let i = 0; i < count; i++) {
      highest = parameters.u32('handle');
      if (highest < first || highest > last) return found;
      found.push(highest);
    }
    if (!more || highest < next) return found;
    next = highest + 1;
  }
  throw malformed('the TPM names handles without end');
}

/**
 * On a bare TPM: forgets the objects and sessions that a client before us left (it was killed, say). Nobody else's: a bare
 * TPM has one client at a time. Saved contexts stay.
 */
export async function flushLeftOvers(tpm: Tpm): Promise<void> {
  for (const first of [HT.transient, HT.loadedSession]) {
    // Loaded sessions are listed by their own handle types, 0x02 (HMAC) and 0x03 (policy).
    for (const handle of await handlesInUse(tpm, first, first + 0x01ffffff)) await tpm.flush(handle);
  }
}

async function query(tpm: Tpm, capability: number, property: number, count: number) {
  const parameters = new Writer().u32(capability).u32(property).u32(count).done();
  const response = await tpm.run({ code: TPM_CC.GetCapability, parameters });
  const more = response.parameters.u8('moreData') === 1;
  if (response.parameters.u32('capability') !== capability) throw malformed('another capability than asked for');
  return { parameters: response.parameters, more };
}

function fourLetters(word: number): string {
  return [24, 16, 8, 0]
    .map((shift) => (word >>> shift) & 0xff)
    .filter((byte) => byte > 0x20 && byte < 0x7f)
    .map((byte) => String.fromCharCode(byte))
    .join('');
}
