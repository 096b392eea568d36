import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@cardwright/protocol';
import {
  answerSignature,
  type Bytes,
  CARD_REFS,
  cardKeyPolicy,
  cardPolicies,
  PIN_PROVED,
  pinIndex,
  selfChangeApproval,
  sized,
  TPM_ALG,
  TPM_CC,
  TPM_RH,
  Writer,
} from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EMPTY_AUTH, type Entity, StorageRoots, type Tpm, verifySignature, withLoaded } from '../../tpm/index.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import type { CardMaker } from '../port.ts';
import { type MadeCard, makeCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';
import { decodeStored } from './stored.ts';

const NONE = new Uint8Array();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// Whatever our formulas say, the TPM has the last word, and tpm2-tools reads it for a second time.
let device: SoftwareTpm;
let tpm: Tpm;
let maker: CardMaker;
let roots: StorageRoots;
let made: MadeCard;
beforeAll(async () => {
  device = await startSoftwareTpm();
  await open();
  made = await makeCard(maker, '123456');
});
afterEach(async () => {
  await roots.release();
  await maker.close();
  await open();
});
afterAll(async () => {
  await maker.close();
  await device.stop();
});

async function open(): Promise<void> {
  tpm = await openTpm(device.tcti);
  maker = tpmCardMaker(tpm);
  roots = new StorageRoots(tpm);
}

const index = () => pinIndex({ nvIndex: made.record.slot, administratorKeyName: made.vault.name });

/** A trial session (Part 1, section 19.7.4): computes a digest, proves nothing, authorises nothing. */
async function trial(work: (session: Entity) => Promise<unknown>): Promise<string> {
  const none = { handle: TPM_RH.NULL, name: NONE };
  const start = new Writer().sized(new Uint8Array(16)).sized(NONE).u8(0x03).u16(TPM_ALG.NULL).u16(TPM_ALG.SHA256);
  const command = { code: TPM_CC.StartAuthSession, handles: [none, none], parameters: start.done(), givesHandle: true };
  const { handle } = await tpm.run(command);
  await work({ handle, name: NONE });
  const { parameters } = await tpm.run({ code: TPM_CC.PolicyGetDigest, handles: [{ handle, name: NONE }] });
  await tpm.flush(handle);
  return hex(parameters.sized(32, 'digest'));
}

const commandCode = (session: Entity, code: number) =>
  tpm.run({ code: TPM_CC.PolicyCommandCode, handles: [session], parameters: new Writer().u32(code).done() });

function withAdministratorKey<T>(work: (key: Entity) => Promise<T>): Promise<T> {
  return roots.current().then((root) => withLoaded(tpm, root, decodeStored(made.record.administratorKey), work));
}

/** In a trial session the MAC need not be right. */
const trialSigned = (session: Entity, ref: Bytes) =>
  withAdministratorKey((key) =>
    tpm.run({
      code: TPM_CC.PolicySigned,
      handles: [key, session],
      parameters: new Writer()
        .sized(NONE)
        .sized(NONE)
        .sized(ref)
        .u32(0)
        .bytes(answerSignature(new Uint8Array(32)))
        .done(),
    }),
  );

test('the branches, the index policy and the keys’ policy are what the TPM computes', async () => {
  const { branches, authPolicy } = cardPolicies(made.vault.name);
  const { approvedPolicy, digest } = selfChangeApproval(index().writtenName);
  const self = await trial(async (session) => {
    const mac = answerSignature(made.vault.mac(digest));
    const ticket = await withAdministratorKey((key) => verifySignature(tpm, key, digest, mac));
    const parameters = new Writer().sized(NONE).sized(CARD_REFS.self).sized(made.vault.name).bytes(ticket).done();
    await tpm.run({ code: TPM_CC.PolicyAuthorize, handles: [session], parameters });
  });
  const reset = await trial(async (session) => {
    await trialSigned(session, CARD_REFS.reset);
    await commandCode(session, TPM_CC.NV_ChangeAuth);
  });
  const write = await trial(async (session) => {
    await trialSigned(session, CARD_REFS.write);
    await commandCode(session, TPM_CC.NV_Write);
  });
  const read = await trial((session) => commandCode(session, TPM_CC.NV_Read));
  const certify = await trial((session) => commandCode(session, TPM_CC.NV_Certify));
  expect([self, reset, write, read, certify]).toEqual(branches.map(hex));

  const or = await trial((session) => {
    const parameters = new Writer().u32(branches.length);
    for (const branch of branches) parameters.sized(branch);
    return tpm.run({ code: TPM_CC.PolicyOR, handles: [session], parameters: parameters.done() });
  });
  expect(or).toBe(hex(authPolicy));

  const place: Entity = { handle: made.record.slot, name: index().writtenName };
  const authorizers = [{ begin: () => ({ ...EMPTY_AUTH.begin(), hmac: () => new TextEncoder().encode('123456') }) }];
  const { operand, offset, operation } = PIN_PROVED;
  const comparison = new Writer().sized(operand).u16(offset).u16(operation).done();
  const counter = (session: Entity) =>
    tpm.run({ code: TPM_CC.PolicyNV, handles: [place, place, session], authorizers, parameters: comparison });
  expect(await trial(counter)).toBe(hex(cardKeyPolicy(index().writtenName)));
  const selfChange = await trial(async (session) => {
    await counter(session);
    await commandCode(session, TPM_CC.NV_ChangeAuth);
  });
  expect(selfChange).toBe(hex(approvedPolicy));
});

async function nvName(nvIndex: number): Promise<{ nvPublic: string; name: string }> {
  const { parameters } = await tpm.run({
    code: TPM_CC.NV_ReadPublic,
    handles: [{ handle: nvIndex, name: NONE }],
  });
  return { nvPublic: hex(parameters.sized(256, 'nvPublic')), name: hex(parameters.sized(64, 'name')) };
}

test('the index is defined as we say, and the TPM names it as we do: before and after the first write', async () => {
  const other = { nvIndex: 0x01800007, administratorKeyName: made.vault.name };
  await maker.prepare(other.nvIndex, made.vault.name, Secret.fromText('1'));
  const before = pinIndex(other);
  expect(await nvName(other.nvIndex)).toEqual({ nvPublic: hex(before.nvPublic), name: hex(before.definedName) });
  await maker.discard(other.nvIndex, made.vault.name);
  expect((await nvName(made.record.slot)).name).toBe(hex(index().writtenName));
});

test('tpm2-tools reads of the index what we wrote', async () => {
  await maker.close();
  const shown = await device.tool('tpm2_nvreadpublic', `0x${made.record.slot.toString(16)}`);
  expect(shown).toContain(`name: ${hex(index().writtenName)}`);
  expect(shown).toContain('value: 0x220C0088');
  expect(shown).toContain('size: 8');
  expect(shown).toContain(`authorization policy: ${hex(index().authPolicy).toUpperCase()}`);
  for (const attribute of ['policywrite', 'authread', 'policyread', 'no_da', 'written']) {
    expect(shown).toContain(attribute);
  }
});

test('under a storage key that tpm2-tools made persistent, its programs load and use our keys', async () => {
  await maker.close();
  await device.tool('tpm2_createprimary', '-Q', '-C', 'o', '-G', 'rsa2048:aes128cfb', '-c', 'srk.ctx');
  await device.tool('tpm2_evictcontrol', '-Q', '-C', 'o', '-c', 'srk.ctx', '0x81000001');
  await device.tool('tpm2_flushcontext', '-t');
  await open();
  const card = await makeCard(maker, '2468');
  expect(hex(card.record.parentName)).not.toBe(hex(made.record.parentName));
  const key = await maker.makeKey(card.record, 'ec-p256');
  const pem = Buffer.from(maker.keyPublic(key)).toString('base64');
  await maker.close();

  const { publicArea, privateArea, parsed } = decodeStored(key);
  await writeFile(join(device.directory, 'key.pub'), sized(publicArea));
  await writeFile(join(device.directory, 'key.priv'), sized(privateArea));
  await writeFile(join(device.directory, 'digest'), new Uint8Array(32).fill(9));
  await device.tool('tpm2_load', '-Q', '-C', '0x81000001', '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx');
  const shown = await device.tool('tpm2_readpublic', '-c', 'key.ctx');
  expect(shown).toContain(`name: ${hex(parsed.name)}`);
  expect(shown).toContain('fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|noda|decrypt|sign');
  expect(shown).toContain(`authorization policy: ${hex(parsed.authPolicy)}`);
  await device.tool('tpm2_startauthsession', '-Q', '--policy-session', '-S', 'session');
  const slot = `0x${card.record.slot.toString(16)}`;
  await writeFile(join(device.directory, 'operand'), PIN_PROVED.operand);
  await device.tool('tpm2_policynv', '-Q', '-S', 'session', '-C', slot, '-P', 'str:2468', '-i', 'operand', slot, 'eq');
  const sign = ['-c', 'key.ctx', '-p', 'session:session', '-g', 'sha256', '-d', '-f', 'plain', '-o', 'signature'];
  await device.tool('tpm2_sign', '-Q', ...sign, 'digest');
  await device.tool('tpm2_flushcontext', 'session');
  await device.tool('tpm2_flushcontext', '-t');
  await writeFile(
    join(device.directory, 'public.pem'),
    `-----BEGIN PUBLIC KEY-----\n${pem}\n-----END PUBLIC KEY-----\n`,
  );
  const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'public.pem', '-in', 'digest', '-sigfile', 'signature'];
  expect(await device.tool('openssl', ...verify)).toContain('Signature Verified Successfully');

  await open();
  const signature = await maker.open(made.record).sign({
    key: await maker.makeKey(made.record, 'ec-p256'),
    hash: 'sha256',
    digest: new Uint8Array(32),
    pin: Secret.fromText('123456'),
  });
  expect(signature.length, 'the card from before the storage key was made persistent still works').toBeGreaterThan(60);
});
