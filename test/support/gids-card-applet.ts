import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from 'node:crypto';
import { ber, findTag, type ParsedCommand, parseCommand } from './gids-card-wire.ts';

/** What happens to the card just before or just after it does what the next command of that INS says. */
export interface Accident {
  readonly ins: number;
  readonly when: 'before' | 'after';
  /** `pulled`: taken out, so that nobody hears the answer. Else whatever else happens in that moment. */
  readonly what: 'pulled' | (() => void);
}

/** All that the card remembers without power. */
export interface GidsState {
  algorithm: 'tdes' | 'aes';
  administratorKey: string;
  pin: string;
  triesLeft: number;
  activated: boolean;
  /** `FID/tag` to value, hexadecimal. */
  objects: Record<string, string>;
}

const PIN_TRIES = 5;
const AID = Buffer.from('A00000039742544659', 'hex');
const FCI = Buffer.from('61124F0BA00000039742544659020173034001C0', 'hex');
const CARD_ID = 'a012/df20';
/** The administrator's word is needed to write below A012 and A014, nobody's to read; keys are never read. */
const ADMINISTRATOR_FILES = new Set([0xa012, 0xa014]);
const SW = (status: number, data: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([data, Buffer.from([status >> 8, status & 0xff])]);

/**
 * What a GIDS card says (Microsoft's Generic Identity Device Specification; OpenSC's card-gids.c is the other end), as far
 * as the administrator key, the PIN and the files of a minidriver go. It makes no keys and signs nothing.
 */
export class GidsApplet {
  readonly asked: string[] = [];
  readonly #state: GidsState;
  readonly #keep: (state: GidsState) => void;
  readonly #pull: () => void;
  #accident: Accident | undefined;
  #chained: Buffer = Buffer.alloc(0);
  // What the card forgets without power:
  #administrator = false;
  #user = false;
  #challenge: { readonly kind: 'one-way' | 'mutual'; readonly ours: Buffer; readonly theirs: Buffer } | undefined;

  constructor(state: GidsState, keep: (state: GidsState) => void, pull: () => void) {
    this.#state = state;
    this.#keep = keep;
    this.#pull = pull;
  }

  static born(options: {
    serial: string;
    administratorKey?: Buffer;
    pin?: string;
    algorithm?: 'tdes' | 'aes';
  }): GidsState {
    const key = options.administratorKey;
    return {
      algorithm: options.algorithm ?? 'tdes',
      administratorKey: key?.toString('hex') ?? '',
      pin: options.pin ?? '',
      triesLeft: PIN_TRIES,
      activated: key !== undefined,
      objects: key === undefined ? {} : { ...FILES, [CARD_ID]: options.serial.toLowerCase() },
    };
  }

  administratorKey(): Buffer {
    return Buffer.from(this.#state.administratorKey, 'hex');
  }

  arm(accident: Accident): void {
    this.#accident = accident;
  }

  powerCycle(): void {
    this.#administrator = false;
    this.#user = false;
    this.#challenge = undefined;
    this.#chained = Buffer.alloc(0);
  }

  /** Null: nobody is there any more to hear the answer. */
  process(bytes: Buffer): Buffer | null {
    const command = parseCommand(bytes);
    const accident = this.#accident?.ins === command?.ins ? this.#accident : undefined;
    if (accident !== undefined) this.#accident = undefined;
    if (accident?.when === 'before') {
      if (accident.what === 'pulled') return this.#gone();
      accident.what();
    }
    const answer = command === null ? SW(0x6700) : this.#answer(command);
    const ins = (command?.ins ?? 0).toString(16).padStart(2, '0');
    this.asked.push(`${ins} ${answer.subarray(-2).toString('hex')}`);
    if (accident?.when === 'after') {
      if (accident.what === 'pulled') return this.#gone();
      accident.what();
    }
    return answer;
  }

  #gone(): null {
    this.#pull();
    this.powerCycle();
    return null;
  }

  #answer(command: ParsedCommand): Buffer {
    if ((command.cla & 0x10) !== 0) {
      this.#chained = Buffer.concat([this.#chained, command.data]);
      return SW(0x9000);
    }
    const whole = { ...command, data: Buffer.concat([this.#chained, command.data]) };
    this.#chained = Buffer.alloc(0);
    switch (whole.ins) {
      case 0xa4:
        return this.#select(whole);
      case 0xcb:
        return this.#getData(whole);
      case 0xdb:
        return this.#putData(whole);
      case 0x87:
        return this.#authenticate(whole.data);
      case 0x20:
        return this.#verify(whole);
      case 0x24:
        return this.#changePin(whole);
      case 0x2c:
        return this.#resetPin(whole);
      case 0x22: // MANAGE SECURITY ENVIRONMENT: the administrator key, the only one there is
        return SW(whole.p2 === 0xa4 && findTag(whole.data, 0x83)?.[0] === 0x80 ? 0x9000 : 0x6a88);
      case 0xe0: // CREATE FILE, while it is being made
        return SW(this.#state.activated ? 0x6985 : 0x9000);
      case 0x44:
        return this.#activate();
      default:
        return SW(0x6d00);
    }
  }

  #selected: 'application' | 'file' = 'application';

  #select({ p1, data }: ParsedCommand): Buffer {
    if (p1 === 0x04) {
      if (data.length < 5 || !AID.subarray(0, data.length).equals(data.subarray(0, AID.length))) return SW(0x6a82);
      return SW(0x9000, FCI);
    }
    if (data.toString('hex') !== '3fff') return SW(0x6a82);
    this.#selected = 'file';
    return SW(0x9000);
  }

  /** The last of many: gids-tool makes its files, each activated, and at the very end the application itself. */
  #activate(): Buffer {
    if (this.#selected === 'file')
      this.#write(() => {
        this.#state.activated = true;
      });
    return SW(0x9000);
  }

  #getData({ p1, p2, data }: ParsedCommand): Buffer {
    const wanted = findTag(data, 0x5c);
    if (wanted?.length !== 2) return SW(0x6a80);
    const [fid, tag] = [p1 * 256 + p2, wanted.readUInt16BE()];
    if (fid === 0x3fff) {
      if (tag !== 0x7f71) return SW(0x6a88); // 7F73: there is no PUK
      const { triesLeft } = this.#state;
      return SW(0x9000, ber(tag, Buffer.from([0x97, 1, triesLeft, 0x93, 1, PIN_TRIES])));
    }
    const value = this.#state.objects[nameOf(fid, tag)];
    if (value !== undefined) return SW(0x9000, ber(tag, Buffer.from(value, 'hex')));
    return SW(fid >= 0xa000 && fid <= 0xa014 ? 0x6a88 : 0x6a82);
  }

  #putData({ p1, p2, data }: ParsedCommand): Buffer {
    const fid = p1 * 256 + p2;
    if (fid === 0x3fff) return this.#putKey(data);
    if (data.length < 3) return SW(0x6a80);
    const allowed = !this.#state.activated || (ADMINISTRATOR_FILES.has(fid) ? this.#administrator : this.#user);
    if (!allowed) return SW(0x6982);
    const tag = data.readUInt16BE();
    const value = findTag(data, tag);
    if (value === null) return SW(0x6984);
    this.#write(() => {
      this.#state.objects[nameOf(fid, tag)] = value.toString('hex');
    });
    return SW(0x9000);
  }

  /** The check value is not judged: gids-tool sends that of the default key with whatever key there is. */
  #putKey(data: Buffer): Buffer {
    if (this.#state.activated && !this.#administrator) return SW(0x6982);
    const about = findTag(data, 0x70);
    const key = about && findTag(findTag(about, 0xa5) ?? Buffer.alloc(0), 0x87);
    if (!about || findTag(about, 0x84)?.[0] !== 0x80 || !key) return SW(0x6a80);
    if (!(this.#state.algorithm === 'tdes' ? [24] : [16, 24, 32]).includes(key.length)) return SW(0x6a80);
    this.#write(() => {
      this.#state.administratorKey = key.toString('hex');
    });
    return SW(0x9000);
  }

  #authenticate(data: Buffer): Buffer {
    const template = findTag(data, 0x7c);
    if (template === null || this.#state.administratorKey === '') return SW(0x6a80);
    const [challenge, response] = [findTag(template, 0x81), findTag(template, 0x82)];
    if (challenge !== null) return this.#challengeFor(challenge);
    if (response === null) return SW(0x6a80);
    const asked = this.#challenge;
    this.#challenge = undefined; // once: right or wrong
    if (asked === undefined) return SW(0x6985);
    return asked.kind === 'one-way' ? this.#oneWay(asked.ours, response) : this.#mutual(asked, response);
  }

  #challengeFor(theirs: Buffer): Buffer {
    const kind = theirs.length === 0 ? 'one-way' : 'mutual';
    if (kind === 'mutual' && theirs.length !== 16) return SW(0x6a80);
    const ours = randomBytes(kind === 'one-way' && this.#state.algorithm === 'tdes' ? 8 : 16);
    this.#challenge = { kind, ours, theirs };
    return SW(0x9000, ber(0x7c, ber(0x81, ours)));
  }

  #oneWay(challenge: Buffer, response: Buffer): Buffer {
    this.#administrator = same(this.#encrypt(challenge, 'ecb'), response);
    return SW(this.#administrator ? 0x9000 : 0x6982);
  }

  #mutual({ ours, theirs }: { ours: Buffer; theirs: Buffer }, response: Buffer): Buffer {
    if (response.length !== 40 || this.#state.algorithm !== 'tdes') return SW(0x6982);
    const decipher = createDecipheriv('des-ede3-cbc', this.administratorKey(), Buffer.alloc(8)).setAutoPadding(false);
    const plain = Buffer.concat([decipher.update(response), decipher.final()]);
    this.#administrator = same(plain.subarray(0, 32), Buffer.concat([ours, theirs])) && plain[39] === 0x80;
    if (!this.#administrator) return SW(0x6982);
    const proof = this.#encrypt(Buffer.concat([theirs, ours, randomBytes(7), Buffer.from([0x80])]), 'cbc');
    return SW(0x9000, ber(0x7c, ber(0x82, proof)));
  }

  #encrypt(plain: Buffer, mode: 'ecb' | 'cbc'): Buffer {
    const key = this.administratorKey();
    const name =
      this.#state.algorithm === 'tdes' ? `des-ede3${mode === 'cbc' ? '-cbc' : ''}` : `aes-${key.length * 8}-ecb`;
    const cipher = createCipheriv(name, key, mode === 'cbc' ? Buffer.alloc(8) : null).setAutoPadding(false);
    return Buffer.concat([cipher.update(plain), cipher.final()]);
  }

  #verify({ p2, data }: ParsedCommand): Buffer {
    if (p2 === 0x82) {
      this.powerCycle();
      return SW(0x9000);
    }
    if (p2 !== 0x80) return SW(0x6a88);
    if (this.#state.triesLeft === 0) return SW(0x6983);
    if (data.length === 0) return SW(this.#user ? 0x9000 : 0x63c0 | this.#state.triesLeft);
    this.#user = same(Buffer.from(this.#state.pin), data);
    this.#write(() => {
      this.#state.triesLeft = this.#user ? PIN_TRIES : this.#state.triesLeft - 1;
    });
    return SW(this.#user ? 0x9000 : 0x63c0 | this.#state.triesLeft);
  }

  #changePin({ p1, data }: ParsedCommand): Buffer {
    if (p1 !== 1 || this.#state.activated) return SW(0x6985); // only the first PIN of a blank card
    this.#write(() => {
      this.#state.pin = data.toString();
    });
    return SW(0x9000);
  }

  #resetPin({ p1, data }: ParsedCommand): Buffer {
    if (p1 !== 2) return SW(0x6a86);
    if (!this.#administrator) return SW(0x6982);
    if (data.length < 4 || data.length > 16) return SW(0x6a80);
    this.#write(() => {
      this.#state.pin = data.toString();
      this.#state.triesLeft = PIN_TRIES;
    });
    this.powerCycle();
    return SW(0x9000);
  }

  #write(change: () => void): void {
    change();
    this.#keep(this.#state);
  }
}

const nameOf = (fid: number, tag: number) => `${fid.toString(16)}/${tag.toString(16)}`;
const same = (one: Buffer, other: Buffer) => one.length === other.length && timingSafeEqual(one, other);

/** The files that gids-tool makes; a card that is born finished has the same. */
const FILES: Record<string, string> = {
  'a010/df21': '6d73637000000000',
  'a010/df22': '000000000000',
  'a010/df23': '',
  'a000/df1f': masterfile([
    ['mscp', '', 0, 0xa000],
    ['', 'cardid', 0xdf20, 0xa012],
    ['', 'cardapps', 0xdf21, 0xa010],
    ['', 'cardcf', 0xdf22, 0xa010],
    ['mscp', 'cmapfile', 0xdf23, 0xa010],
  ]),
};

/** Version 1, then records: directory and file name in nine bytes each, padding, tag and file in 32 bits little-endian. */
function masterfile(records: readonly (readonly [string, string, number, number])[]): string {
  const parts = records.map(([directory, name, tag, file]) => {
    const record = Buffer.alloc(28);
    record.write(directory, 0);
    record.write(name, 9);
    record.writeUInt32LE(tag, 20);
    record.writeUInt32LE(file, 24);
    return record;
  });
  return Buffer.concat([Buffer.from([1]), ...parts]).toString('hex');
}
