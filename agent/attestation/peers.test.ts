import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCredential, parseEcdsaSignature, parseEndorsementKey } from '@cardwright/protocol/attestation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCard } from '../card/testing/make-card.ts';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { openTpm } from '../tpm/wire.ts';
import type { DeviceAttestation, Endorsement } from './port.ts';
import { type ManufacturedTpm, startManufacturedTpm } from './testing/manufactured-tpm.process.ts';

type Bytes = Uint8Array;

const random = (bytes: number): Bytes => new Uint8Array(randomBytes(bytes));
const AK = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign';
/** tpm2-tools keep a credential in a file of their own: magic, version, then both structures. */
const CREDENTIAL_HEADER = Buffer.from('badcc0de00000001', 'hex');

/** tpm2-tools and openssl, which share nothing with our codec: what the one writes the other takes. */
describe('between us and tpm2-tools', () => {
  let device: ManufacturedTpm;
  const path = (file: string) => join(device.directory, file);
  const read = (file: string): Bytes => new Uint8Array(readFileSync(path(file)));
  const tool = (program: string, ...args: string[]) => device.tool(`tpm2_${program}`, ...args);

  beforeAll(async () => {
    device = await startManufacturedTpm();
    await tool('createprimary', '-C', 'e', '-G', 'ecc256:ecdsa-sha256:null', '-g', 'sha256', '-a', AK, '-c', 'ak.ctx');
    await tool('readpublic', '-c', 'ak.ctx', '-o', 'ak.pub', '-n', 'ak.name');
    await tool('readpublic', '-c', 'ak.ctx', '-f', 'pem', '-o', 'ak.pem');
    await tool('flushcontext', '-t');
  }, 60_000);
  afterAll(() => device?.stop());

  /** The tools and we use the TPM in turn: a bare one has one client. */
  async function ours<T>(
    work: (attestation: DeviceAttestation, maker: ReturnType<typeof tpmCardMaker>) => Promise<T>,
  ): Promise<T> {
    const maker = tpmCardMaker(await openTpm(device.tcti));
    try {
      return await work(maker.attestation(), maker);
    } finally {
      await maker.close();
    }
  }

  async function endorsementOf(kind: string): Promise<Endorsement> {
    const all = await ours((attestation) => attestation.endorsements());
    return all.find(({ public: area }) => parseEndorsementKey(area).kind === kind) as Endorsement;
  }

  it('the attestation key is the same, by its whole public area and its Name', async () => {
    const { public: area, name } = await ours((attestation) => attestation.identity());
    expect(Buffer.from(area)).toEqual(Buffer.from(read('ak.pub')));
    expect(Buffer.from(name)).toEqual(Buffer.from(read('ak.name')));
  });

  it.each(['ecc', 'rsa'])('tpm2_activatecredential opens what we hid for an %s endorsement key', async (kind) => {
    const { public: area } = await endorsementOf(kind);
    const value = random(32);
    const { credentialBlob, secret } = makeCredential(parseEndorsementKey(area), read('ak.name'), value, random);
    writeFileSync(path('ours.cred'), Buffer.concat([CREDENTIAL_HEADER, credentialBlob, secret]));
    const endorsementKey = kind === 'rsa' ? '0x81010001' : '0x81010016';
    await tool('startauthsession', '--policy-session', '-S', 'open.ctx');
    await tool('policysecret', '-S', 'open.ctx', '-c', 'e');
    const authorised = kind === 'rsa' ? ['-P', 'session:open.ctx'] : [];
    const what = ['-c', 'ak.ctx', '-C', endorsementKey, ...authorised, '-i', 'ours.cred', '-o', 'opened'];
    await tool('activatecredential', ...what);
    await tool('flushcontext', '-t');
    await tool('flushcontext', 'open.ctx');
    expect(Buffer.from(read('opened'))).toEqual(Buffer.from(value));
  });

  it.each(['ecc', 'rsa'])('we open what tpm2_makecredential hid for an %s endorsement key', async (kind) => {
    const endorsement = await endorsementOf(kind);
    writeFileSync(path('ek.pub'), endorsement.public);
    writeFileSync(path('value'), random(32));
    const name = Buffer.from(read('ak.name')).toString('hex');
    await tool('makecredential', '-T', 'none', '-u', 'ek.pub', '-s', 'value', '-n', name, '-o', 'theirs.cred');
    const whole = Buffer.from(read('theirs.cred'));
    expect(whole.subarray(0, 8)).toEqual(CREDENTIAL_HEADER);
    const split = 8 + 2 + whole.readUInt16BE(8);
    const credential = { credentialBlob: whole.subarray(8, split), secret: whole.subarray(split) };
    const opened = await ours((attestation) => attestation.activate(endorsement, credential));
    expect(Buffer.from(opened)).toEqual(Buffer.from(read('value')));
  });

  it('openssl verifies what our TPM stated of a key and of an index, with the key that tpm2-tools read', async () => {
    const nonce = random(32);
    const proofs = await ours(async (attestation, maker) => {
      const { record } = await makeCard(maker, '271828');
      const key = await attestation.proveKey(record, await maker.makeKey(record, 'ec-p256'), nonce);
      return [key, await attestation.proveCard(record, nonce), await attestation.proveParent(nonce)];
    });
    for (const proof of proofs) {
      if (proof === undefined) throw new Error('its making was not kept');
      writeFileSync(path('statement'), proof.statement);
      writeFileSync(path('signature'), derOf(parseEcdsaSignature(proof.signature)));
      const verified = await device.tool(
        'openssl',
        'dgst',
        '-sha256',
        '-verify',
        'ak.pem',
        '-signature',
        'signature',
        'statement',
      );
      expect(verified).toContain('Verified OK');
    }
  });

  it('openssl verifies what our identity signed', async () => {
    writeFileSync(path('message'), 'eyJhbGciOiJFUzI1NiJ9.e30');
    const signature = await ours((attestation) => attestation.sign(read('message')));
    writeFileSync(path('signature'), derOf(signature));
    const how = ['dgst', '-sha256', '-verify', 'ak.pem', '-signature', 'signature', 'message'];
    expect(await device.tool('openssl', ...how)).toContain('Verified OK');
  });
});

/** Ecdsa-Sig-Value of r and s, 32 bytes each. */
function derOf(rs: Bytes): Buffer {
  const integer = (bytes: Bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const digits = Buffer.from(bytes.subarray(start));
    const body = ((digits[0] ?? 0) & 0x80) === 0 ? digits : Buffer.concat([Buffer.of(0), digits]);
    return Buffer.concat([Buffer.of(0x02, body.length), body]);
  };
  const both = Buffer.concat([integer(rs.subarray(0, 32)), integer(rs.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, both.length), both]);
}
