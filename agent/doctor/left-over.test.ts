import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CARD_NV_FIRST } from '@cardwright/protocol/tpm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCard, prepareCard } from '../card/testing/make-card.ts';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { serialise } from '../store/document.ts';
import { exampleCard, exampleDocument } from '../store/fixture.ts';
import { openTpm } from '../tpm/index.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../tpm/testing/software-tpm.process.ts';
import { leftOverFindings } from './left-over-findings.ts';
import { storeFacts } from './store.file.ts';
import { askTpm } from './tpm-probe.ts';

let software: SoftwareTpm;
let folder: string;
beforeAll(async () => {
  software = await startSoftwareTpm();
  folder = mkdtempSync(join(tmpdir(), 'cardwright-left-over-'));
});
afterAll(async () => {
  await software.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a doctor says of this TPM and a store that owns those places. */
async function said(...places: readonly number[]): Promise<string | null> {
  const cards = places.map((slot, at) => ({ ...exampleCard(`CW-1111-111${at}`), slot }));
  writeFileSync(join(folder, 'store.json'), serialise({ ...exampleDocument(), cards }), { mode: 0o600 });
  const tpm = await askTpm(() => openTpm(software.tcti));
  const [finding, ...more] = leftOverFindings({ store: storeFacts(folder), tpm });
  expect(more).toEqual([]);
  if (finding === undefined) return null;
  expect(finding).toMatchObject({ check: 'left-over-cards', level: 'warning' });
  return `${finding.message} ${finding.advice}`;
}

const place = (at: number) => `0x0${(CARD_NV_FIRST + at).toString(16)}`;

it('a system that was installed anew is told which cards of the one before still stand in the TPM', async () => {
  const maker = tpmCardMaker(await openTpm(software.tcti));
  await makeCard(maker, '618294');
  // Only begun, of an enrolment that nobody went on with.
  await prepareCard(maker, '618294');
  await maker.close();
  // Of another program: within the same range, and no card.
  await software.tool('tpm2_nvdefine', '-C', 'o', '-s', '8', place(2));

  expect(await said(CARD_NV_FIRST, CARD_NV_FIRST + 1)).toBeNull();
  expect(await said(CARD_NV_FIRST)).toContain(`no card in ${folder} owns: ${place(1)}.`);
  const all = await said();
  expect(all).toContain(`2 places of cards stand in the TPM that no card in ${folder} owns: ${place(0)}, ${place(1)}.`);
  const command = /tpm2_nvundefine -C o 0x0180000\d$/.exec(all ?? '')?.[0].split(' ') as [string, ...string[]];
  await software.tool(...command);
  expect(await said()).toContain(`owns: ${place(1)}.`);
});

it('nothing is said where the store can’t be read: all its cards would look left over', async () => {
  writeFileSync(join(folder, 'store.json'), '{', { mode: 0o600 });
  const tpm = await askTpm(() => openTpm(software.tcti));
  expect(leftOverFindings({ store: storeFacts(folder), tpm })).toEqual([]);
});

it('however many there are, the finding stays within what a server takes', async () => {
  const tpm = await askTpm(() => openTpm(software.tcti));
  if (!tpm.answers) throw new Error(tpm.code);
  const cardPlaces = Array.from({ length: 64 }, (_, at) => CARD_NV_FIRST + at);
  const [finding] = leftOverFindings({
    store: { ...storeFacts(join(folder, 'none')), directory: `/home/${'x'.repeat(200)}` },
    tpm: { ...tpm, facts: { ...tpm.facts, cardPlaces } },
  });
  expect(finding?.message).toContain('and 58 more.');
  expect(finding?.message.length).toBeLessThanOrEqual(500);
  expect(finding?.advice?.length).toBeLessThanOrEqual(500);
});
