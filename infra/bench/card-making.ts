import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeSingleFile } from '../agent-package/single-file.ts';
import { inRepository } from '../repository/root.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../software-tpm/start.ts';
import type { Row } from './table.ts';
import { type Acts, missingOfTpm2Pkcs11, startTpm2Pkcs11, type Tpm2Pkcs11 } from './tpm2-pkcs11.ts';

const ROUNDS = 7;
/** A third of the peer's time. */
const AIM = 3;
const [PIN, OTHER] = ['618294', '927356'];
const MAKES_CARD = inRepository('agent', 'dist', 'testing', 'card-program.js');
const ACTS = inRepository('agent', 'dist', 'testing', 'acts-program.js');
/** In one process, a round. */
const TIMES = 20;

/**
 * A card on a software TPM, by the agent's parts and by tpm2-pkcs11 (PIN, one P-256 key, its certification request, its
 * certificate), and the PIN changed and a digest signed with it.
 *
 * *A process each*: as a person would start them. Ours is one for each act, the agent in one file; for a card the peer
 * starts tpm2_ptool four times and certtool once. *In one process*: without what starting costs; C_Sign then works in a
 * session that was logged in once, while each of our signatures proves the PIN to the TPM anew. Ours speaks to its TPM itself,
 * the peer through tpm2-abrmd, which it can't do without. Ours also makes what the peer has not: an administrator key that is
 * wrapped to the TPM (the vault's part is played in the same process), a PIN whose tries the TPM counts, a check of the
 * certificate and a store that is synced. One after the other, in pairs; the median of the rounds, and of the ratios pair by
 * pair. Nothing when the peer is not installed.
 */
export async function measureCardMaking(): Promise<readonly Row[]> {
  const missing = missingOfTpm2Pkcs11();
  if (missing.length > 0) {
    process.stdout.write(`Not measured: a card beside tpm2-pkcs11. Not installed: ${missing.join(', ')}\n`);
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-bench-card-'));
  const started: { stop(): Promise<void> }[] = [];
  try {
    const tpm = await startSoftwareTpm({ stateDir: made(folder, 'our-tpm') });
    started.push(tpm);
    const peer = await startTpm2Pkcs11(folder, made(folder, 'their-tpm'));
    started.push(peer);
    return await measure(folder, tpm, peer);
  } finally {
    for (const one of started.toReversed()) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function made(folder: string, name: string): string {
  mkdirSync(join(folder, name), { mode: 0o700 });
  return join(folder, name);
}

async function measure(folder: string, tpm: SoftwareTpm, peer: Tpm2Pkcs11): Promise<readonly Row[]> {
  const issue = issuer(folder);
  const program = join(folder, 'cardwright-agent');
  await makeSingleFile(program);
  const agent = (store: string, args: readonly string[], input: string): void => {
    execFileSync(program, [...args, '--tpm', tpm.tcti, '--store', store], { input: `${input}\n`, stdio: 'pipe' });
  };
  const digest = join(folder, 'digest');
  writeFileSync(digest, randomBytes(32));
  const making: Pair[] = [];
  const signing: Pair[] = [];
  const changing: Pair[] = [];
  const setting: Pair[] = [];
  const steadySigning: Pair[] = [];
  const steadyChanging: Pair[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [ours, theirs] = [made(folder, `our-store-${round}`), made(folder, `their-store-${round}`)];
    const pairs: [Pair[], () => unknown, () => unknown][] = [
      [
        making,
        () => makeCard(tpm, ours, issue),
        async () => peer.addCertificate(theirs, issue(await peer.makeToken(theirs, PIN)).pem),
      ],
      [signing, () => agent(ours, signArguments(digest, folder), PIN), () => peer.sign(theirs, PIN, digest)],
      [changing, () => agent(ours, CHANGE, `${PIN}\n${OTHER}`), () => peer.changePin(theirs, PIN, OTHER)],
      [setting, () => agent(ours, CHANGE, `${OTHER}\n${PIN}`), () => peer.setPin(theirs, OTHER, PIN)],
    ];
    for (const [times, mine, their] of pairs) {
      const pair = { ours: await timed(mine), theirs: await timed(their) };
      if (round > 0) times.push(pair); // the first round warms both up
    }
    const [mine, their] = [inOneProcess(tpm, ours), await peer.inOneProcess(theirs, PIN, OTHER, TIMES)];
    if (round > 0) {
      steadySigning.push({ ours: median(mine.signing), theirs: median(their.signing) });
      steadyChanging.push({ ours: median(mine.changing), theirs: median(their.changing) });
    }
    agent(ours, ['destroy', '--card', 'BENCH', '--yes', '--offline'], '');
    await peer.forget();
  }
  return [
    row('card with a P-256 key, request and certificate', making, 'tpm2_ptool and certtool, 5 processes', AIM),
    row('change of the PIN, a process each', changing, 'tpm2_ptool changepin', 1),
    row('change of the PIN, a process each', setting, 'pkcs11-tool, C_SetPIN of tpm2-pkcs11', 1),
    row('signature, a process each', signing, 'pkcs11-tool, C_Sign of tpm2-pkcs11', 1),
    row('change of the PIN, in one process', steadyChanging, 'C_SetPIN of tpm2-pkcs11', 1),
    row('signature with its PIN, in one process', steadySigning, 'C_Sign of tpm2-pkcs11, after C_Login', 1),
  ];
}

const CHANGE = ['change-pin', '--pin-stdin'];
const signArguments = (file: string, folder: string) => [
  'sign',
  '--in',
  file,
  '--out',
  join(folder, 'our-signature'),
  '--pin-stdin',
];

interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

/** @returns milliseconds. */
async function timed(act: () => unknown): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function inOneProcess(tpm: SoftwareTpm, store: string): Acts {
  const args = [ACTS, tpm.tcti, store, PIN, OTHER, String(TIMES)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

type Issue = (requestFile: string) => { readonly pem: string; readonly der: string };

async function makeCard(tpm: SoftwareTpm, store: string, issue: Issue): Promise<void> {
  const child = spawn(process.execPath, [MAKES_CARD, tpm.tcti, store, 'BENCH', PIN], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const request = `${store}.request.pem`;
    writeFileSync(request, pem('CERTIFICATE REQUEST', line));
    child.stdin.end(`${issue(request).der}\n${root(store)}\n`);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the program that makes a card ended with ${code}`);
}

const root = (store: string): string => base64Of(join(store, '..', 'ca.pem'));
const base64Of = (file: string): string => readFileSync(file, 'utf8').replace(/-----[^-]+-----|\s/g, '');
const pem = (label: string, base64: string): string =>
  `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END ${label}-----\n`;

/** OpenSSL as the CA, the same for both sides and within the time of both. */
function issuer(folder: string): Issue {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key'];
  openssl('req', '-x509', ...key, '-subj', '/CN=Bench CA', '-days', '2', '-out', 'ca.pem');
  return (requestFile) => {
    const out = `${requestFile}.certificate`;
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', `0x${randomBytes(8).toString('hex')}`];
    openssl('x509', '-req', '-in', requestFile, ...by, '-days', '1', '-out', out);
    return { pem: out, der: base64Of(out) };
  };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

function row(what: string, pairs: readonly Pair[], by: string, aim: number): Row {
  const middle = (of: (pair: Pair) => number): number => median(pairs.map(of));
  const shown = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 20 ? 1 : 0)} ms`;
  return {
    what,
    ours: shown(middle(({ ours }) => ours)),
    floor: `${shown(middle(({ theirs }) => theirs))} (${by})`,
    ratio: middle(({ ours, theirs }) => theirs / ours),
    aim,
  };
}
