import { randomInt } from 'node:crypto';
import { fuzzAsync } from '@cardwright/protocol/testing';
import { OCSP_PARSERS } from './ocsp-parsers.ts';
import { ISSUANCE_PARSERS } from './parsers.ts';

/** `fuzz-program INPUTS [SEED]`: damaged requests for certificates and to the OCSP responder, so many in all. Ends with an error when one breaks something. */
const MOST_MB = 256;
const [count = '', given] = process.argv.slice(2);
const seed = given === undefined ? randomInt(1, 2 ** 31) : Number(given);
const parsers = Object.entries({ ...ISSUANCE_PARSERS, ...OCSP_PARSERS });
const each = Math.ceil(Number(count) / parsers.length);
const [before, began] = [process.memoryUsage().rss, performance.now()];
let [accepted, inputs, slowestMs] = [0, 0, 0];
for (const [name, { parse, samples }] of parsers) {
  const report = await fuzzAsync(parse, each, seed, samples).catch((cause: Error) => {
    throw new Error(`${name}: ${cause.message}`, { cause });
  });
  accepted += report.accepted;
  inputs += report.inputs;
  slowestMs = Math.max(slowestMs, report.slowestMs);
}
const grownMb = (process.memoryUsage().rss - before) / 1024 / 1024;
if (grownMb > MOST_MB) throw new Error(`the parsers kept ${grownMb.toFixed(0)} MB, at most ${MOST_MB} are allowed`);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  `Fuzzed the ca with ${inputs.toLocaleString('en')} requests, for certificates and of OCSP (seed ${seed}) in ${seconds.toFixed(0)} s: ` +
    `${accepted.toLocaleString('en')} were taken, all others refused by a code; nothing broke. ` +
    `The slowest took ${slowestMs.toFixed(0)} ms; memory grew by ${Math.max(0, grownMb).toFixed(0)} MB.\n`,
);
