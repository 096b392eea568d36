import { isDomainError } from '../errors.ts';

type Bytes = Uint8Array;

export interface FuzzReport {
  readonly inputs: number;
  /** How many were taken for well-formed. */
  readonly accepted: number;
  /** How often each refusal code was given. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
}

/** One input may take this long: a parser that takes longer can be made to hang. */
const MOST_MS = 1000;
/** What a length, a count or a tag is set to: the borders of 7, 8, 15, 16, 31 and 32 bits. */
const BORDERS = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0xfe, 0xff];

/**
 * Gives `parser` `n` inputs: random bytes, and each of `samples` cut, stretched, spliced with another and with bytes
 * changed. The same seed gives the same inputs. A parser may return or throw a DomainError; anything else that it throws,
 * an `internal` one among them, and an input that takes a second, is thrown as an Error with the input in hexadecimal.
 */
export function fuzz(
  parser: (input: Bytes) => unknown,
  n: number,
  seed: number,
  samples: readonly Bytes[] = [],
): FuzzReport {
  const tally = new Tally(seed);
  for (const input of inputsOf(n, seed, samples)) {
    const judge = tally.given(input);
    let thrown: [] | [unknown] = [];
    try {
      parser(input);
    } catch (error) {
      thrown = [error];
    }
    judge(...thrown);
  }
  return tally;
}

/** The same for a parser that is asynchronous, as those that ask a TPM are. */
export async function fuzzAsync(
  parser: (input: Bytes) => unknown,
  n: number,
  seed: number,
  samples: readonly Bytes[] = [],
): Promise<FuzzReport> {
  const tally = new Tally(seed);
  for (const input of inputsOf(n, seed, samples)) {
    const judge = tally.given(input);
    let thrown: [] | [unknown] = [];
    try {
      await parser(input);
    } catch (error) {
      thrown = [error];
    }
    judge(...thrown);
  }
  return tally;
}

function* inputsOf(n: number, seed: number, samples: readonly Bytes[]): Generator<Bytes> {
  const draw = generator(seed);
  for (let i = 0; i < n; i++) yield nextInput(draw, samples);
}

class Tally implements FuzzReport {
  inputs = 0;
  accepted = 0;
  readonly refused: Record<string, number> = {};
  slowestMs = 0;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** To be called with what the parser threw, if it threw anything. */
  given(input: Bytes): (...thrown: [] | [unknown]) => void {
    const which = `input ${this.inputs++} of seed ${this.#seed}`;
    const given = Buffer.from(input).toString('hex'); // before the parser, which might change what it was given
    const began = performance.now();
    return (...thrown) => {
      const took = performance.now() - began;
      this.slowestMs = Math.max(this.slowestMs, took);
      if (took > MOST_MS) throw new Error(`${which} took ${took} ms: ${given}`);
      if (thrown.length === 0) {
        this.accepted++;
        return;
      }
      const [error] = thrown;
      if (!isDomainError(error) || error.kind === 'internal') {
        throw new Error(`${which} broke the parser: ${given}`, { cause: error });
      }
      this.refused[error.code] = (this.refused[error.code] ?? 0) + 1;
    };
  }
}

type Draw = (below: number) => number;

/** xorshift32 (Marsaglia, 2003): not for secrets, the same on every machine. */
function generator(seed: number): Draw {
  let state = seed >>> 0 || 0x9e3779b9;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

function nextInput(draw: Draw, samples: readonly Bytes[]): Bytes {
  const sample = samples[draw(Math.max(1, samples.length))];
  if (sample === undefined || draw(16) === 0) return randomBytes(draw, draw(300));
  let input = new Uint8Array(sample);
  for (let changes = 1 + draw(4); changes > 0; changes--) input = changed(draw, input, samples);
  return input;
}

function changed(draw: Draw, input: Uint8Array<ArrayBuffer>, samples: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const at = draw(input.length + 1);
  switch (draw(8)) {
    case 0:
      return input.slice(0, at);
    case 1:
      return joined(input.subarray(0, at), randomBytes(draw, 1 + draw(8)), input.subarray(at));
    case 2:
      return joined(input.subarray(0, at), input.subarray(Math.min(input.length, at + 1 + draw(8))));
    case 3: {
      const other = samples[draw(Math.max(1, samples.length))] ?? input;
      return joined(input.subarray(0, at), other.subarray(draw(other.length + 1)));
    }
    case 4:
      return set(input, at, BORDERS[draw(BORDERS.length)] ?? 0);
    case 5: // two bytes: a size of the TPM, or a long length of DER
      return set(set(input, at, BORDERS[draw(BORDERS.length)] ?? 0), at + 1, BORDERS[draw(BORDERS.length)] ?? 0);
    case 6:
      return set(input, at, (input[at] ?? 0) ^ (1 << draw(8)));
    default:
      return set(input, at, draw(256));
  }
}

function set(input: Uint8Array<ArrayBuffer>, at: number, value: number): Uint8Array<ArrayBuffer> {
  const out = input.slice();
  if (at < out.length) out[at] = value;
  return out;
}

function randomBytes(draw: Draw, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => draw(256));
}

function joined(...parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
