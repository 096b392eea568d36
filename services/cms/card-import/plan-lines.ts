import { isDomainError } from '@cardwright/protocol';
import { type CardProfileView, IMPORTABLE_ALGORITHMS, type ProfileViews, planKey } from '../cards/index.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { type LineReport, type PlannedCard, refusedLine } from './import.ts';
import type { ImportLine } from './line.ts';
import type { ImportDirectory } from './ports.ts';

export interface PlanPorts {
  readonly directory: ImportDirectory;
  readonly profiles: Pick<ProfileViews, 'list'>;
  readonly runtime: Runtime;
}

/** RFC 7516 section 7.1: five parts. The vault opens it; here it is only kept from being a key in clear. */
const JWE = /^[\w-]{20,}\.[\w-]+\.[\w-]+\.[\w-]+\.[\w-]+$/;
const SERIAL = /^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$/;

/** Why a line is wrong; its message never shows a value that may be a key. */
class Wrong extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Judges every line by what cms knows: right ones become cards to be, wrong ones are said why. */
export async function planLines(
  { directory, profiles, runtime }: PlanPorts,
  lines: readonly ImportLine[],
): Promise<{ readonly plan: readonly PlannedCard[]; readonly refused: readonly LineReport[] }> {
  const named = (column: 'person' | 'device' | 'serial') =>
    lines.flatMap(({ values }) => (values[column] === undefined ? [] : [values[column]]));
  const lower = (texts: readonly string[]) => [...new Set(texts.map((text) => text.toLowerCase()))];
  const [people, devices, taken, views] = await Promise.all([
    directory.people(lower(named('person'))),
    directory.devices(lower(named('device'))),
    directory.takenSerials(named('serial')),
    profiles.list(),
  ]);
  const live = new Set(await directory.livePairs([...devices.values()].flat()));
  const known = {
    people,
    devices,
    taken: new Set(taken),
    live,
    profiles: new Map(views.map((one) => [one.name, one])),
  };
  const plan: PlannedCard[] = [];
  const refused: LineReport[] = [];
  for (const line of lines) {
    try {
      plan.push(planLine(line, known, runtime.newId()));
    } catch (error) {
      const { serial } = line.values;
      const shown = serial !== undefined && SERIAL.test(serial) ? serial : null;
      if (error instanceof Wrong) refused.push(refusedLine(line.line, shown, error.code, error.message));
      else if (isDomainError(error)) refused.push(refusedLine(line.line, shown, error.code, error.detail));
      else throw error;
    }
  }
  return { plan, refused };
}

interface Known {
  readonly people: ReadonlyMap<string, string>;
  readonly devices: ReadonlyMap<string, readonly string[]>;
  /** Grow with each line: two lines of a file may not have one serial either. */
  readonly taken: Set<string>;
  readonly live: Set<string>;
  readonly profiles: ReadonlyMap<string, CardProfileView>;
}

function planLine({ line, values }: ImportLine, known: Known, id: string): PlannedCard {
  const { serial, administratorKey, puk } = values;
  if (serial === undefined || !SERIAL.test(serial)) {
    throw new Wrong('field-invalid', 'The serial has 3 to 64 characters: letters, digits, dot, hyphen, underscore.');
  }
  for (const sealed of [administratorKey, puk]) {
    if (sealed !== undefined && !JWE.test(sealed)) {
      const detail =
        'The key or PUK is not sealed (JWE compact). One that was sent in clear is known to others: change it.';
      throw new Wrong('administrator-key-not-sealed', detail);
    }
  }
  if (known.taken.has(serial)) throw new Wrong('card-serial-taken', 'Another card, or another line, has this serial.');
  const personId = known.people.get((values.person ?? '').toLowerCase());
  if (personId === undefined) throw new Wrong('person-unknown', 'There is no person of this user principal name.');
  const deviceId = deviceOf(values.device, known);
  const pair = `${personId} ${deviceId}`;
  if (deviceId !== null && known.live.has(pair)) {
    throw new Wrong('card-already-active', 'This person has a live card on this device already.');
  }
  const takeOver = takeOverOf(values.takeOver, deviceId);
  const key = keyOf(values, known, personId);
  known.taken.add(serial);
  if (deviceId !== null) known.live.add(pair);
  const { algorithm, challengeMode, keyStrategy, namedKey } = key;
  const hasPuk = key.puk !== null;
  const profileName = values.cardProfile ?? null;
  return {
    line,
    card: { id, serial, personId, deviceId, profileName, algorithm, challengeMode, keyStrategy, namedKey, hasPuk },
    jwe: key.key.kind === 'sealed' ? key.key.jwe : null,
    origin: key.key.kind === 'named' ? toText(key.key.origin) : null,
    kcv: values.keyCheckValue?.toUpperCase() ?? null,
    puk: key.puk,
    ...(takeOver ? { takeOver } : {}),
  };
}

function takeOverOf(said: string | undefined, deviceId: string | null): boolean {
  if (said !== undefined && said !== 'yes' && said !== 'no') {
    throw new Wrong('field-invalid', 'The takeOver is yes or no.');
  }
  if (said === 'yes' && deviceId === null) {
    throw new Wrong('field-invalid', 'The agent of a device takes a card over: say on which device the card is.');
  }
  return said === 'yes';
}

function deviceOf(name: string | undefined, { devices }: Known): string | null {
  if (name === undefined) return null;
  const [first, second] = devices.get(name.toLowerCase()) ?? [];
  if (first === undefined) throw new Wrong('device-unknown', 'There is no device of this host name or id.');
  if (second !== undefined) throw new Wrong('device-ambiguous', 'Several devices have this host name: give the id.');
  return first;
}

function keyOf(values: ImportLine['values'], { profiles }: Known, personId: string) {
  const { keyCheckValue, diversifier, challengeMode: mode, algorithm: name } = values;
  const profile = values.cardProfile === undefined ? undefined : (profiles.get(values.cardProfile) ?? null);
  const algorithm = IMPORTABLE_ALGORITHMS.find((one) => one === name);
  if (name !== undefined && algorithm === undefined) {
    throw new Wrong('field-invalid', `The algorithm is one of ${IMPORTABLE_ALGORITHMS.join(', ')}.`);
  }
  if (mode !== undefined && mode !== 'ecb' && mode !== 'cbc') {
    throw new Wrong('field-invalid', 'The challengeMode is ecb or cbc.');
  }
  if (keyCheckValue !== undefined && !/^[0-9A-Fa-f]{6}$/.test(keyCheckValue)) {
    throw new Wrong('field-invalid', 'The keyCheckValue has 6 hex digits.');
  }
  if (diversifier !== undefined && !/^([0-9A-Fa-f]{2}){1,31}$/.test(diversifier)) {
    throw new Wrong('field-invalid', 'The diversifier has 1 to 31 bytes in hex.');
  }
  // The check value of a key that is given is the vault's to compare, line by line.
  const named = profile?.keyStrategy === 'uniform' || profile?.keyStrategy === 'deterministic';
  const { administratorKey, puk, cardProfile } = values;
  const takeOver = values.takeOver === 'yes';
  const check = named ? { keyCheckValue } : {};
  return planKey(
    {
      personId,
      serial: '-',
      cardProfile,
      algorithm,
      challengeMode: mode,
      administratorKey,
      diversifier,
      puk,
      takeOver,
      ...check,
    },
    profile,
  );
}

function toText(
  origin: Extract<ReturnType<typeof planKey>['key'], { kind: 'named' }>['origin'],
): PlannedCard['origin'] {
  if (origin.strategy === 'uniform') return origin;
  return { ...origin, diversifier: Buffer.from(origin.diversifier).toString('hex') };
}
