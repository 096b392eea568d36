import { randomInt } from 'node:crypto';
import { fuzz } from '@cardwright/protocol/testing';
import { connectorParsers } from '../connectors/testing/parsers.ts';

/**
 * Damaged bytes for each parser of what a CA may answer: `fuzz-program INPUTS [SEED]`, so many in all. Without a seed another
 * one each time; it is printed, so that what breaks can be had again (the samples are new each time, their sizes are not).
 */
const [count = '', given] = process.argv.slice(2);
const seed = given === undefined ? randomInt(1, 2 ** 31) : Number(given);
const parsers = Object.entries(connectorParsers());
const each = Math.ceil(Number(count) / parsers.length);
const began = performance.now();
let [accepted, inputs] = [0, 0];
let slowest = { name: '', slowestMs: 0 };
for (const [name, { parse, samples }] of parsers) {
  const report = fuzz(parse, each, seed, samples);
  accepted += report.accepted;
  inputs += report.inputs;
  if (report.slowestMs > slowest.slowestMs) slowest = { name, slowestMs: report.slowestMs };
}
const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  `Fuzzed ${parsers.length} parsers of what CAs answer with ${inputs.toLocaleString('en')} inputs (seed ${seed}) in ${seconds.toFixed(0)} s: ` +
    `${accepted.toLocaleString('en')} were read, all others refused by a code; nothing broke. ` +
    `The slowest took ${slowest.slowestMs.toFixed(0)} ms (${slowest.name}).\n`,
);
