import { randomInt } from 'node:crypto';
import { ATTESTATION_PARSERS, fuzzAsync, PROTOCOL_PARSERS } from '@cardwright/protocol/testing';
import { AGENT_PARSERS } from './parsers.ts';

/**
 * Damaged bytes for each parser of what a TPM, a card, a device, a server or a person may send: `fuzz-program INPUTS [SEED]`,
 * so many in all. Without a seed another one each time; it is printed, so that what breaks can be had again. Ends with an
 * error, the seed and the input when a parser breaks, takes a second for one input, or keeps what it read.
 */
const MOST_MB = 256;
const [count = '', given] = process.argv.slice(2);
const seed = given === undefined ? randomInt(1, 2 ** 31) : Number(given);
const parsers = Object.entries({ ...ATTESTATION_PARSERS, ...PROTOCOL_PARSERS, ...AGENT_PARSERS });
const each = Math.ceil(Number(count) / parsers.length);
const [before, began] = [process.memoryUsage().rss, performance.now()];
let [accepted, inputs] = [0, 0];
let slowest = { name: '', slowestMs: 0 };
for (const [name, { parse, samples }] of parsers) {
  const report = await fuzzAsync(parse, each, seed, samples).catch((cause: Error) => {
    throw new Error(`${name}: ${cause.message}`, { cause });
  });
  accepted += report.accepted;
  inputs += report.inputs;
  if (report.slowestMs > slowest.slowestMs) slowest = { name, slowestMs: report.slowestMs };
}
const grownMb = (process.memoryUsage().rss - before) / 1024 / 1024;
if (grownMb > MOST_MB) throw new Error(`the parsers kept ${grownMb.toFixed(0)} MB, at most ${MOST_MB} are allowed`);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  `Fuzzed ${parsers.length} parsers with ${inputs.toLocaleString('en')} inputs (seed ${seed}) in ${seconds.toFixed(0)} s: ` +
    `${accepted.toLocaleString('en')} were read, all others refused by a code; nothing broke. ` +
    `The slowest took ${slowest.slowestMs.toFixed(0)} ms (${slowest.name}); memory grew by ${Math.max(0, grownMb).toFixed(0)} MB.\n`,
);
