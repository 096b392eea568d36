import { randomBytes } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeyFacts, NO_LINEAGE, type SealedKey } from './key-record.ts';
import type { KeyProvider } from './provider.ts';
import { seal, unseal } from './sealing.ts';
import { newProvider } from './testing/provider.ts';

const SUCCESSION = { generation: 1, foundingName: randomBytes(34), nvIndex: 0x01800001 };
const LINEAGE = { predecessor: 1, succession: SUCCESSION };
const FACTS: KeyFacts = {
  cardId: '0190a5f0-0000-7000-8000-000000000001',
  keyVersion: 2,
  algorithm: 'hmac-sha256',
  strategy: 'random-stored',
  masterVersion: null,
  kcv: null,
  tpmName: randomBytes(34),
  pinLimit: 5,
  parentName: randomBytes(34),
  lineage: LINEAGE,
};
const KEY = randomBytes(32);

let provider: KeyProvider;
let blob: SealedKey;

beforeAll(async () => {
  provider = await newProvider([1, 2]);
  blob = await seal(provider, randomBytes, FACTS, Secret.take(Uint8Array.from(KEY)));
});

async function opens(facts: KeyFacts, sealed: SealedKey, by = provider): Promise<string> {
  return unseal(by, facts, sealed).then(
    (key) => key.use((bytes) => Buffer.from(bytes).toString('hex')),
    (error: { kind: string; code: string }) => `${error.kind} ${error.code}`,
  );
}

describe('a sealed key', () => {
  it('opens for its own row, with the newest KEK', async () => {
    expect(blob.kekVersion).toBe(2);
    expect(await opens(FACTS, blob)).toBe(KEY.toString('hex'));
  });

  it('is never the same twice, and never holds the key', async () => {
    const other = await seal(provider, randomBytes, FACTS, Secret.take(Uint8Array.from(KEY)));
    expect(Buffer.from(other.sealed).equals(Buffer.from(blob.sealed))).toBe(false);
    expect(Buffer.from(blob.sealed).includes(KEY)).toBe(false);
  });

  it.each([
    ['of another card', { cardId: '0190a5f0-0000-7000-8000-000000000002' }],
    ['of another version', { keyVersion: 1 }],
    ['of another algorithm', { algorithm: 'aes-256' }],
    ['of another strategy', { strategy: 'deterministic' }],
    ['with another Name', { tpmName: randomBytes(34) }],
    ['with another PIN limit', { pinLimit: 100 }],
    ['with a key check value', { kcv: 'B073DC' }],
    ['with a master secret', { masterVersion: 1 }],
    ['with another parent', { parentName: randomBytes(34) }],
    ['without its parent', { parentName: null }],
    ['without what it follows', { lineage: null }],
    ['with neither, as rows of before have it', { parentName: null, lineage: null }],
    ['that follows another version', { lineage: { ...LINEAGE, predecessor: 2 } }],
    ['that is the first of its card', { lineage: { ...LINEAGE, succession: null } }],
    ['of another generation', { lineage: { ...LINEAGE, succession: { ...SUCCESSION, generation: 2 } } }],
    [
      'with another founding key',
      { lineage: { ...LINEAGE, succession: { ...SUCCESSION, foundingName: randomBytes(34) } } },
    ],
    ['of another index', { lineage: { ...LINEAGE, succession: { ...SUCCESSION, nvIndex: 0x01800002 } } }],
  ] as const)('does not open for a row %s', async (_, change) => {
    expect(await opens({ ...FACTS, ...change }, blob)).toBe('internal vault-blob-invalid');
  });

  it('of a row without parent and predecessor is bound to what it was before there were any', async () => {
    const bound: string[] = [];
    const spy: KeyProvider = {
      ...provider,
      kekVersion: provider.kekVersion,
      wrap: (dataKey, data) => {
        bound.push(Buffer.from(data).toString('utf8'));
        return provider.wrap(dataKey, data);
      },
    };
    const facts = { ...FACTS, tpmName: Buffer.from('000b'.padEnd(68, '7'), 'hex'), ...NO_LINEAGE };
    await seal(spy, randomBytes, facts, Secret.take(Uint8Array.from(KEY)));
    const name = '000b'.padEnd(68, '7');
    expect(bound).toEqual([
      `cardwright administrator key 1|${FACTS.cardId}|2|hmac-sha256|random-stored|||${name}|5|kek 2`,
    ]);
  });

  it('does not open as one of another KEK version, known or not', async () => {
    expect(await opens(FACTS, { ...blob, kekVersion: 1 })).toBe('internal vault-blob-invalid');
    expect(await opens(FACTS, { ...blob, kekVersion: 3 })).toBe('internal vault-blob-invalid');
  });

  it('does not open in another vault', async () => {
    expect(await opens(FACTS, blob, await newProvider([1, 2]))).toBe('internal vault-blob-invalid');
  });

  it('does not open truncated, at any length', async () => {
    for (let length = 0; length < blob.sealed.length; length++) {
      const cut = { ...blob, sealed: blob.sealed.subarray(0, length) };
      expect(await opens(FACTS, cut)).toBe('internal vault-blob-invalid');
    }
  });

  it('does not open with any byte changed, or one more', async () => {
    for (let at = 0; at < blob.sealed.length; at++) {
      const sealed = Uint8Array.from(blob.sealed);
      sealed[at] = (sealed[at] ?? 0) ^ 0x40;
      expect(await opens(FACTS, { ...blob, sealed })).toBe('internal vault-blob-invalid');
    }
    const longer = { ...blob, sealed: new Uint8Array([...blob.sealed, 0]) };
    expect(await opens(FACTS, longer)).toBe('internal vault-blob-invalid');
  });

  it('does not open with the data key of another blob of the same row', async () => {
    const other = await seal(provider, randomBytes, FACTS, Secret.take(Uint8Array.from(KEY)));
    const end = 3 + Buffer.from(blob.sealed).readUInt16BE(1);
    const mixed = new Uint8Array([...other.sealed.subarray(0, end), ...blob.sealed.subarray(end)]);
    expect(await opens(FACTS, { ...blob, sealed: mixed })).toBe('internal vault-blob-invalid');
  });

  it('of a deterministic row holds nothing, and still proves the row', async () => {
    const facts = { ...FACTS, strategy: 'deterministic', masterVersion: 1 } as const;
    const empty = await seal(provider, randomBytes, facts, undefined);
    expect(await opens(facts, empty)).toBe('');
    expect(await opens({ ...facts, pinLimit: 100 }, empty)).toBe('internal vault-blob-invalid');
    expect(await opens({ ...facts, masterVersion: 2 }, empty)).toBe('internal vault-blob-invalid');
  });
});
