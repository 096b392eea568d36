import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import {
  makeCredential,
  parseAttestationKey,
  parseEndorsementKey,
  verifyCardKey,
  verifyEndorsement,
  verifyParent,
  verifyPinIndex,
} from '@cardwright/protocol/attestation';
import { cardKeyPolicy, parsePublic, pinIndex } from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CardMaker } from '../card/port.ts';
import { makeCard } from '../card/testing/make-card.ts';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { TpmRefusal } from '../tpm/index.ts';
import { openTpm } from '../tpm/wire.ts';
import type { DeviceAttestation, Endorsement } from './port.ts';
import { type ManufacturedTpm, startManufacturedTpm } from './testing/manufactured-tpm.process.ts';

type Bytes = Uint8Array;

const random = (bytes: number): Bytes => new Uint8Array(randomBytes(bytes));
const now = new Date(Date.now() + 60_000);
const code = (wanted: string) => expect.objectContaining({ code: wanted });
const kindOf = ({ public: area }: Endorsement) => {
  const key = parseEndorsementKey(area);
  return key.kind === 'rsa' ? 'rsa' : key.curve;
};

describe('a TPM proves', () => {
  let device: ManufacturedTpm;
  let other: ManufacturedTpm;
  let maker: CardMaker;
  let attestation: DeviceAttestation;
  beforeAll(async () => {
    [device, other] = await Promise.all([startManufacturedTpm(), startManufacturedTpm()]);
  }, 60_000);
  beforeEach(async () => {
    maker = tpmCardMaker(await openTpm(device.tcti));
    attestation = maker.attestation();
  });
  afterEach(() => maker.close());
  afterAll(async () => {
    await Promise.all([device?.stop(), other?.stop()]);
  });

  async function elsewhere<T>(work: (attestation: DeviceAttestation, maker: CardMaker) => Promise<T>): Promise<T> {
    const makerThere = tpmCardMaker(await openTpm(other.tcti));
    try {
      return await work(makerThere.attestation(), makerThere);
    } finally {
      await makerThere.close();
    }
  }

  it('which TPM it is, by its maker’s certificates of an RSA and a P-384 key', async () => {
    const found = await attestation.endorsements();
    expect(found.map(kindOf)).toEqual(['secp384r1', 'rsa']);
    for (const { public: area, certificate, chain } of found) {
      const claim = { endorsementKey: parseEndorsementKey(area), certificate, chain };
      expect(verifyEndorsement(claim, device.trust, now)).toMatchObject({ model: 'swtpm' });
      expect(() => verifyEndorsement(claim, other.trust, now)).toThrow(code('ek-certificate-untrusted'));
    }
  });

  it.each(['secp384r1', 'rsa'])('that its attestation key lives beside its %s endorsement key', async (kind) => {
    const endorsement = (await attestation.endorsements()).find((one) => kindOf(one) === kind) as Endorsement;
    const { name } = parseAttestationKey((await attestation.identity()).public);
    const value = random(32);
    const hide = (keyName: Bytes) => makeCredential(parseEndorsementKey(endorsement.public), keyName, value, random);
    expect(Buffer.from(await attestation.activate(endorsement, hide(name)))).toEqual(Buffer.from(value));
    // For the attestation key of another TPM it does not open, whoever holds the endorsement key.
    const foreign = await elsewhere((there) => there.identity());
    await expect(attestation.activate(endorsement, hide(foreign.name))).rejects.toThrow(code('credential-refused'));
    // And with one bit changed neither.
    const changed = hide(name);
    changed.credentialBlob[40] = (changed.credentialBlob[40] ?? 0) ^ 1;
    await expect(attestation.activate(endorsement, changed)).rejects.toThrow(code('credential-refused'));
  });

  it.each(['secp384r1', 'rsa'])('the same with its %s key made anew, where nobody made it persistent', async (kind) => {
    const handle = kind === 'rsa' ? '0x81010001' : '0x81010016';
    await maker.close();
    await device.tool('tpm2_evictcontrol', '-C', 'o', '-c', handle).catch(() => undefined);
    maker = tpmCardMaker(await openTpm(device.tcti));
    attestation = maker.attestation();
    const endorsement = (await attestation.endorsements()).find((one) => kindOf(one) === kind) as Endorsement;
    const { name } = await attestation.identity();
    const value = random(32);
    const credential = makeCredential(parseEndorsementKey(endorsement.public), name, value, random);
    expect(Buffer.from(await attestation.activate(endorsement, credential))).toEqual(Buffer.from(value));
  });

  it('its identity: the same each time, and another in another TPM', async () => {
    const { public: area } = await attestation.identity();
    expect((await attestation.identity()).public).toEqual(area);
    const foreign = await elsewhere((there) => there.identity());
    expect(foreign.public).not.toEqual(area);
    expect(() => parseAttestationKey(area)).not.toThrow();
  });

  it('that a card’s key, its PIN index and their parent are its own', async () => {
    const { record, vault } = await makeCard(maker, '271828');
    const index = pinIndex({ nvIndex: record.slot, administratorKeyName: vault.name });
    const asked = { attestationKey: parseAttestationKey((await attestation.identity()).public), nonce: random(32) };
    const parent = await attestation.proveParent(asked.nonce);
    const parentName = verifyParent(parent.public, parent, asked);
    expect(parentName).toEqual((await maker.parent()).name);
    for (const keyType of ['ec-p256', 'ec-p384', 'rsa-2048'] as const) {
      const key = await maker.makeKey(record, keyType);
      const evidence = await attestation.proveKey(record, key, asked.nonce);
      if (evidence === undefined) throw new Error('its making was not kept');
      const expected = {
        publicKeyInfo: maker.keyPublic(key),
        parentName,
        policy: cardKeyPolicy(index.writtenName),
      };
      verifyCardKey(evidence, expected, asked);
      const later = { ...asked, nonce: random(32) };
      expect(() => verifyCardKey(evidence, expected, later)).toThrow(code('evidence-stale'));
    }
    const card = await attestation.proveCard(record, asked.nonce);
    const expectedIndex = { name: index.writtenName, pinLimit: 5 };
    expect(verifyPinIndex(card, expectedIndex, asked)).toEqual({ pinCount: 0 });
    // A wrong PIN is seen: the count is the TPM's own.
    const key = await maker.makeKey(record, 'ec-p256');
    const wrong = { key, hash: 'sha256', digest: random(32), pin: Secret.fromText('000000') } as const;
    await expect(maker.open(record).sign(wrong)).rejects.toThrow(code('pin-wrong'));
    expect(verifyPinIndex(await attestation.proveCard(record, asked.nonce), expectedIndex, asked)).toEqual({
      pinCount: 1,
    });
    await maker.discard(record.slot, vault.name);
    await expect(attestation.proveCard(record, asked.nonce)).rejects.toThrow(code('card-missing'));
  });

  it('of a key after the TPM was switched off and on, too', async () => {
    const { record, vault } = await makeCard(maker, '271828');
    const key = await maker.makeKey(record, 'ec-p256');
    await maker.close();
    await device.restart();
    maker = tpmCardMaker(await openTpm(device.tcti));
    attestation = maker.attestation();
    expect(await attestation.proveKey(record, key, random(32))).toBeDefined();
    await maker.discard(record.slot, vault.name);
  });

  it('who signs: and never what looks like a statement of its own', async () => {
    const { public: tpm2bPublic } = await attestation.identity();
    const area = parsePublic(tpm2bPublic);
    if (area.kind !== 'ecc') throw new Error('an attestation key is ECC');
    const [x, y] = [Buffer.from(area.x).toString('base64url'), Buffer.from(area.y).toString('base64url')];
    const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
    const message = Buffer.from('eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0');
    const signature = await attestation.sign(message);
    expect(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    const forged = Buffer.concat([Buffer.from('ff544347801a', 'hex'), Buffer.alloc(60)]);
    await expect(attestation.sign(forged)).rejects.toThrow(TpmRefusal);
  });
});
