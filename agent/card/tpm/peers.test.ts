import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, publicEncrypt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '@cardwright/protocol';
import {
  answerSignature,
  type Bytes,
  CARD_REFS,
  cardKeyPolicy,
  cardPolicies,
  nvWriteCpHash,
  PIN_PROVED,
  pinCounter,
  pinIndex,
  Reader,
  selfChangeApproval,
  sized,
  TPM_ALG,
} from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readNvPublic } from '../../tpm/index.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import type { CardMaker, CardRecord } from '../port.ts';
import { makeCard } from '../testing/make-card.ts';
import { VaultPart } from '../testing/vault-part.ts';
import { tpmCardMaker } from './index.ts';
import { readSignature } from './signature.ts';
import { decodeStored, encodeStored } from './stored.ts';

/**
 * tpm2-tools (another codec, another hand) beside ours on one TPM: a whole card made by the one is a card to the other, and
 * each computes what the other computes.
 */
const SRK = '0x81000001';
const PIN = '141421';
const NEW = '173205';
const secret = (text: string) => Secret.fromText(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

let device: SoftwareTpm;
let maker: CardMaker | undefined;
beforeAll(async () => {
  device = await startSoftwareTpm();
  await device.tool('tpm2_createprimary', '-Q', '-C', 'o', '-G', 'ecc256:aes128cfb', '-c', 'srk.ctx');
  await device.tool('tpm2_evictcontrol', '-Q', '-C', 'o', '-c', 'srk.ctx', SRK);
  await device.tool('tpm2_flushcontext', '-t');
});
afterEach(() => leave());
afterAll(() => device.stop());

/** swtpm has one client at a time: the agent's turn, until `leave`. */
async function enter(): Promise<CardMaker> {
  maker ??= tpmCardMaker(await openTpm(device.tcti));
  return maker;
}
async function leave(): Promise<void> {
  await maker?.close();
  maker = undefined;
}

const file = (name: string) => join(device.directory, name);
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(file(name), bytes);
  return name;
};
const got = (name: string): Bytes => new Uint8Array(readFileSync(file(name)));
const tool = (program: string, ...args: string[]) => device.tool(`tpm2_${program}`, ...args);

/** Loads a key as our store keeps it, the way tpm2-tools do. */
async function loadStored(blob: Bytes, context: string): Promise<void> {
  const { publicArea, privateArea } = decodeStored(blob);
  put('stored.pub', sized(publicArea));
  put('stored.priv', sized(privateArea));
  await tool('load', '-Q', '-C', SRK, '-u', 'stored.pub', '-r', 'stored.priv', '-c', context);
  await tool('flushcontext', '-t');
}

/** A policy session of tpm2-tools, or a trial one; what it came to, in hex, when `file` is asked for by a step. */
async function session(kind: 'trial' | 'policy', work: () => Promise<unknown>): Promise<string> {
  await tool('startauthsession', '-Q', ...(kind === 'policy' ? ['--policy-session'] : []), '-S', 'session.ctx');
  await work();
  const digest = kind === 'trial' ? hex(got('policy')) : '';
  await tool('flushcontext', 'session.ctx');
  await tool('flushcontext', '-t');
  return digest;
}

const step = (program: string, ...args: string[]) => tool(program, '-Q', '-S', 'session.ctx', '-L', 'policy', ...args);
const commandCode = (name: string) => step('policycommandcode', name);
const or = (branches: readonly Bytes[]) =>
  step('policyor', '-l', `sha256:${branches.map((branch, at) => put(`branch-${at}`, branch)).join(',')}`);

/** TPM2_PolicySigned with the vault's answer to what tpm2-tools say is to be signed. */
async function signed(vault: VaultPart, ref: Bytes, cpHash?: Bytes): Promise<void> {
  put('ref', ref);
  const qualified = ['-c', 'admin.ctx', '-x', '-t', '900', '-q', hex(ref)];
  const bound = cpHash === undefined ? [] : ['--cphash-input', put('cp', sized(cpHash))];
  await step('policysigned', ...qualified, ...bound, '--raw-data', 'raw');
  const digest = new Uint8Array(createHash('sha256').update(got('raw')).digest());
  put('answer', answerSignature(vault.mac(digest)));
  await step('policysigned', ...qualified, ...bound, '-s', 'answer');
}

const provePin = (slot: string, pin: string) =>
  step('policynv', '-C', slot, '-P', `str:${pin}`, '-i', put('operand', PIN_PROVED.operand), slot, 'eq');

async function selfChange(vault: VaultPart, record: CardRecord): Promise<void> {
  const { writtenName } = pinIndex({ nvIndex: record.slot, administratorKeyName: vault.name });
  const { approvedPolicy, digest } = selfChangeApproval(writtenName);
  put('approved', approvedPolicy);
  put('approved-digest', digest);
  put('approval', answerSignature(vault.mac(digest)));
  await tool('verifysignature', '-Q', '-c', 'admin.ctx', '-d', 'approved-digest', '-s', 'approval', '-t', 'ticket');
  const authorized = ['-i', 'approved', '-q', hex(CARD_REFS.self), '-n', put('admin.name', vault.name), '-t', 'ticket'];
  await step('policyauthorize', ...authorized);
}

describe('what our codec writes, tpm2-tools read', () => {
  test('the policies of a card: every branch, the index and the keys, computed in trial sessions', async () => {
    const { vault, record } = await makeCard(await enter(), PIN);
    await leave();
    await loadStored(record.administratorKey, 'admin.ctx');
    const slot = `0x${record.slot.toString(16)}`;
    const { branches, authPolicy } = cardPolicies(vault.name);
    const trials = [
      await session('trial', () => selfChange(vault, record)),
      await session('trial', async () => {
        await signed(vault, CARD_REFS.reset);
        await commandCode('TPM2_CC_NV_ChangeAuth');
      }),
      await session('trial', async () => {
        await signed(vault, CARD_REFS.write);
        await commandCode('TPM2_CC_NV_Write');
      }),
      await session('trial', () => commandCode('TPM2_CC_NV_Read')),
      await session('trial', () => commandCode('TPM2_CC_NV_Certify')),
    ];
    expect(trials).toEqual(branches.map(hex));
    expect(await session('trial', () => or(branches))).toBe(hex(authPolicy));
    const { writtenName } = pinIndex({ nvIndex: record.slot, administratorKeyName: vault.name });
    expect(await session('trial', () => provePin(slot, PIN))).toBe(hex(cardKeyPolicy(writtenName)));
    const shown = await tool('nvreadpublic', slot);
    expect(shown).toContain(`name: ${hex(writtenName)}`);
    expect(shown).toContain(`authorization policy: ${hex(authPolicy).toUpperCase()}`);
  });

  test('a key, its public part and its signature', async () => {
    const cards = await enter();
    const { record, card } = await makeCard(cards, PIN);
    const key = await cards.makeKey(record, 'ec-p256');
    const digest = new Uint8Array(createHash('sha256').update('text').digest());
    put('signature', await card.sign({ key, hash: 'sha256', digest, pin: secret(PIN) }));
    const pem = createPublicKey({ key: Buffer.from(cards.keyPublic(key)), format: 'der', type: 'spki' });
    writeFileSync(file('key.pem'), pem.export({ type: 'spki', format: 'pem' }));
    await leave();
    await loadStored(key, 'key.ctx');
    expect(await tool('readpublic', '-c', 'key.ctx')).toContain(`name: ${hex(decodeStored(key).parsed.name)}`);
    put('digest', digest);
    await tool('verifysignature', '-Q', '-c', 'key.ctx', '-d', 'digest', '-f', 'ecdsa', '-s', 'signature');
    await tool('flushcontext', '-t');
    await tool('loadexternal', '-Q', '-C', 'n', '-G', 'ecc', '-u', 'key.pem', '-c', 'outside.ctx');
    await tool('verifysignature', '-Q', '-c', 'outside.ctx', '-d', 'digest', '-f', 'ecdsa', '-s', 'signature');
    put(
      'digest',
      digest.map((byte) => byte ^ 1),
    );
    const wrong = tool('verifysignature', '-Q', '-c', 'key.ctx', '-d', 'digest', '-f', 'ecdsa', '-s', 'signature');
    await expect(wrong).rejects.toThrow(/0x2DB|signature is not valid/);
    await tool('flushcontext', '-t');
  });

  test('a key that decrypts: what was encrypted to it opens with the PIN, and not without', async () => {
    const cards = await enter();
    const { record } = await makeCard(cards, PIN);
    const key = await cards.makeKey(record, 'rsa-2048');
    const publicKey = createPublicKey({ key: Buffer.from(cards.keyPublic(key)), format: 'der', type: 'spki' });
    await leave();
    put('ciphertext', publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, Buffer.from('for the holder alone')));
    await loadStored(key, 'key.ctx');
    const slot = `0x${record.slot.toString(16)}`;
    const opened = ['-c', 'key.ctx', '-s', 'oaep', '-p', 'session:session.ctx', '-o', 'plaintext'];
    const decrypt = () => tool('rsadecrypt', '-Q', ...opened, 'ciphertext');
    await session('policy', async () => {
      await expect(decrypt()).rejects.toThrow(/0x99D|policy/);
    });
    await session('policy', async () => {
      await expect(provePin(slot, 'wrong1')).rejects.toThrow();
    });
    await session('policy', async () => {
      await provePin(slot, PIN);
      await decrypt();
    });
    expect(Buffer.from(got('plaintext')).toString()).toBe('for the holder alone');
    await tool('flushcontext', '-t');
  });

  test('an administrator key on its way: tpm2_import opens the wrap', async () => {
    const { public: parent } = await (await enter()).parent();
    await leave();
    const vault = new VaultPart();
    const wrapped = vault.wrapFor(parent);
    put('admin.pub', wrapped.public);
    // tpm2-tools keep these without their sizes.
    put('admin.dup', wrapped.duplicate);
    put('admin.seed', wrapped.inSymSeed);
    await tool('import', '-Q', '-C', SRK, '-u', 'admin.pub', '-i', 'admin.dup', '-s', 'admin.seed', '-r', 'admin.priv');
    await tool('load', '-Q', '-C', SRK, '-u', 'admin.pub', '-r', 'admin.priv', '-c', 'imported.ctx');
    expect(await tool('readpublic', '-c', 'imported.ctx')).toContain(`name: ${hex(vault.name)}`);
    await tool('flushcontext', '-t');
  });

  test('the cpHash of the counter’s write', async () => {
    const { vault, record } = await makeCard(await enter(), PIN);
    await leave();
    const { writtenName } = pinIndex({ nvIndex: record.slot, administratorKeyName: vault.name });
    const slot = `0x${record.slot.toString(16)}`;
    put('counter', pinCounter(0, 5));
    await tool('nvwrite', '-Q', '-C', slot, '-i', 'counter', '--cphash', 'cp-of-tools', slot);
    const stored = hex(got('cp-of-tools'));
    expect(stored).toContain(hex(nvWriteCpHash({ name: writtenName, data: pinCounter(0, 5) })));
  });
});

describe('what tpm2-tools make, our codec reads', () => {
  test('a whole card: index, first write, key; and then the agent signs, changes the PIN and resets it', async () => {
    const vault = new VaultPart();
    const cards = await enter();
    const parent = await cards.parent();
    const administratorKey = await cards.importAdministratorKey(vault.wrapFor(parent.public));
    const nvIndex = await cards.chooseSlot();
    await leave();
    const slot = `0x${nvIndex.toString(16)}`;
    const { definedName, writtenName, authPolicy } = pinIndex({ nvIndex, administratorKeyName: vault.name });
    await loadStored(administratorKey, 'admin.ctx');

    put('index.policy', authPolicy);
    const attributes = 'nt=pinfail|policywrite|authread|policyread|no_da';
    const defining = ['-C', 'o', '-s', '8', '-g', 'sha256', '-a', attributes, '-L', 'index.policy', '-p', `str:${PIN}`];
    await tool('nvdefine', '-Q', ...defining, slot);
    expect(await (await enter()).slotState(nvIndex, vault.name)).toBe('defined');
    await leave();

    const counter = pinCounter(0, 5);
    put('counter', counter);
    await session('policy', async () => {
      await signed(vault, CARD_REFS.write, nvWriteCpHash({ name: definedName, data: counter }));
      await commandCode('TPM2_CC_NV_Write');
      await or(cardPolicies(vault.name).branches);
      await tool('nvwrite', '-Q', '-C', slot, '-P', 'session:session.ctx', '-i', 'counter', slot);
    });
    put('key.policy', cardKeyPolicy(writtenName));
    const kind = ['-G', 'ecc256:null', '-g', 'sha256', '-L', 'key.policy'];
    const is = ['-a', 'fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|noda|sign|decrypt'];
    await tool('create', '-Q', '-C', SRK, ...kind, ...is, '-u', 'made.pub', '-r', 'made.priv');
    await tool('flushcontext', '-t');

    const sizes = (name: string) => new Reader(got(name)).sized(2048, name);
    const key = encodeStored({ publicArea: sizes('made.pub'), privateArea: sizes('made.priv') });
    const record = {
      ...{ slot: nvIndex, parentName: parent.name, administratorKeyName: vault.name, administratorKey },
      ...{ pinLimit: 5, successions: [] },
    };
    const card = (await enter()).open(record);
    const request = { key, hash: 'sha256', digest: new Uint8Array(32) } as const;
    expect(await card.tries()).toEqual({ left: 5, limit: 5 });
    await card.sign({ ...request, pin: secret(PIN) });
    await card.changePin(secret(PIN), secret(NEW), vault.approveSelfChange(nvIndex));
    await card.sign({ ...request, pin: secret(NEW) });
    const challenge = await card.challenge();
    await challenge.finish(vault.answerReset(nvIndex, challenge, 5), secret(PIN));
    await card.sign({ ...request, pin: secret(PIN) });
    const name = (await readName(nvIndex)).toString();
    expect(await tool('nvreadpublic', slot)).toContain(`name: ${name}`);
  });

  test('a change and a reset of the PIN, made by tpm2-tools on a card of ours', async () => {
    const cards = await enter();
    const { vault, record } = await makeCard(cards, PIN);
    const key = await cards.makeKey(record, 'ec-p256');
    await leave();
    await loadStored(record.administratorKey, 'admin.ctx');
    const slot = `0x${record.slot.toString(16)}`;
    const { branches } = cardPolicies(vault.name);
    const sign = async (pin: string) => {
      const card = (await enter()).open(record);
      const signing = card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: secret(pin) });
      const code = await signing.then(() => 'signs').catch((error: { code: string }) => error.code);
      await leave();
      return code;
    };
    await session('policy', async () => {
      await provePin(slot, PIN);
      await commandCode('TPM2_CC_NV_ChangeAuth');
      await selfChange(vault, record);
      await or(branches);
      await tool('changeauth', '-Q', '-c', slot, '-p', 'session:session.ctx', `str:${NEW}`);
    });
    expect([await sign(PIN), await sign(NEW)]).toEqual(['pin-wrong', 'signs']);
    await session('policy', async () => {
      await signed(vault, CARD_REFS.reset);
      await commandCode('TPM2_CC_NV_ChangeAuth');
      await or(branches);
      await tool('changeauth', '-Q', '-c', slot, '-p', 'session:session.ctx', `str:${PIN}`);
    });
    expect([await sign(NEW), await sign(PIN)]).toEqual(['pin-wrong', 'signs']);
  });

  test('their signature, as a TPMT_SIGNATURE', async () => {
    await tool('create', '-Q', '-C', SRK, '-G', 'ecc256:ecdsa-sha256', '-u', 'free.pub', '-r', 'free.priv');
    await tool('load', '-Q', '-C', SRK, '-u', 'free.pub', '-r', 'free.priv', '-c', 'free.ctx');
    const digest = put('digest', new Uint8Array(32).fill(7));
    await tool('sign', '-Q', '-c', 'free.ctx', '-g', 'sha256', '-d', '-f', 'tss', '-o', 'free.sig', digest);
    await tool('readpublic', '-Q', '-c', 'free.ctx', '-f', 'pem', '-o', 'free.pem');
    await tool('flushcontext', '-t');
    const scheme = { algorithm: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 };
    put('free.der', readSignature(new Reader(got('free.sig')), scheme));
    const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'free.pem', '-in', 'digest', '-sigfile', 'free.der'];
    expect(execFileSync('openssl', verify, { cwd: device.directory }).toString()).toContain('Verified Successfully');
  });
});

async function readName(nvIndex: number): Promise<string> {
  await leave();
  const tpm = await openTpm(device.tcti);
  const found = await readNvPublic(tpm, nvIndex);
  await tpm.close();
  return hex(found?.name ?? new Uint8Array());
}
