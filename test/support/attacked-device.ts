import { generateKeyPairSync, randomBytes, sign as signWith } from 'node:crypto';
import {
  attestDevice,
  type CardMaker,
  type CardRecord,
  certificationRequest,
  certificationRequestInfo,
  createSignIn,
  evidenceOf,
  httpServer,
  openTpm,
  type TextEvidence,
  tpmCardMaker,
} from '@cardwright/agent';
import { Secret } from '@cardwright/protocol';
import { assertionInput } from '@cardwright/protocol/attestation';
import { type MadeKey, madeKeys } from './attacked-keys.ts';
import type { Device } from './device.ts';
import { type MakerCertificates, makerCertificates } from './false-makers.ts';
import { enrolmentCode, registerPerson } from './people.ts';
import type { TestSystem } from './system.ts';

type Bytes = Uint8Array;

const PIN = '618294';
const random = (length: number): Bytes => new Uint8Array(randomBytes(length));
const text = (bytes: Bytes): string => Buffer.from(bytes).toString('base64');
const bytes = (value: string): Bytes => new Uint8Array(Buffer.from(value, 'base64'));

/** The agent's own parts in the hands of somebody who is root on a device, with each step changed as he likes. */
export type AttackedDevice = Awaited<ReturnType<typeof attackedDevice>>;

export async function attackedDevice(system: TestSystem, device: Device, other: Device) {
  const tcti = device.tpm.tcti;
  let maker = tpmCardMaker(await openTpm(tcti));
  const attestation = () => maker.attestation();
  const elsewhere = async <T>(work: (maker: CardMaker) => Promise<T>): Promise<T> => {
    const there = tpmCardMaker(await openTpm(other.tpm.tcti));
    try {
      return await work(there);
    } finally {
      await there.close();
    }
  };
  const deviceToken = Buffer.from(random(32)).toString('base64url');
  const known = { url: system.url, deviceToken, trustedCa: null };
  const signIn = createSignIn({
    now: () => new Date(),
    randomBytes: random,
    withAttestation: (work) => work(attestation()),
  });
  const server = httpServer(known, {}, {}, signIn);
  const claim = async (at: CardMaker, name: string, token = deviceToken) => {
    const code = await enrolmentCode(system, (await registerPerson(system, name)).id);
    const storageKeyName = Buffer.from((await at.parent()).name).toString('hex');
    return server.claim({
      code,
      deviceToken: token,
      device: { hostName: 'stolen', platform: 'linux', storageKeyName, tpm: null },
    });
  };
  const claimed = await claim(maker, 'Mallory Malice');
  const { enrolmentId, cardId, deviceId } = claimed;
  const keyName = Buffer.from((await attestation().identity()).name).toString('hex');
  let record: CardRecord;
  let key: Bytes;

  const endorsement = async () => {
    const [first] = await attestation().endorsements();
    if (first === undefined) throw new Error('the TPM of these tests has endorsement certificates');
    return first;
  };
  const begin = async (change: { certificate?: Bytes; attestationKey?: Bytes } = {}) => {
    const found = await endorsement();
    return server.beginAttestation({
      endorsementKey: text(found.public),
      certificate: text(change.certificate ?? found.certificate),
      chain: [],
      attestationKey: text(change.attestationKey ?? (await attestation().identity()).public),
    });
  };
  const certificate = async (change: { csr?: Bytes; evidence?: TextEvidence | null } = {}): Promise<unknown> => {
    const { info, digest } = certificationRequestInfo(maker.keyPublic(key), claimed.cardSerial, 'ec-p256');
    const signing = { key, hash: 'sha256', digest, pin: Secret.fromText(PIN) } as const;
    const csr = change.csr ?? certificationRequest(info, 'ec-p256', await maker.open(record).sign(signing));
    const evidence =
      change.evidence === undefined ? await evidenceOf(attestation(), server, record, key) : change.evidence;
    const asked = { container: 'sign-in', csr: text(csr), ...(evidence ? { evidence } : {}) };
    return server.certificate(enrolmentId, asked);
  };
  const signed = async (at: CardMaker, name: string, parts: AssertionChange): Promise<string> => {
    const input = assertionInput({ ...parts, keyName: name });
    return `${input}.${Buffer.from(await at.attestation().sign(Buffer.from(input))).toString('base64url')}`;
  };

  return {
    ...{ cardId, deviceId, keyName, begin, certificate },
    nonce: () => server.evidenceNonce(),
    attest: () => attestDevice(attestation(), server),
    administratorKey: async (parentPublic?: Bytes): Promise<unknown> =>
      server.administratorKey(enrolmentId, text(parentPublic ?? (await maker.parent()).public)),
    /** Our endorsement key, the attestation key of another TPM: neither TPM alone can open the credential. */
    async activateForeign() {
      const { public: attestationKey } = await elsewhere((there) => there.attestation().identity());
      const hidden = await begin({ attestationKey });
      const proof = await elsewhere((there) => there.attestation().proveParent(bytes(hidden.nonce)));
      return server.activateAttestation(hidden.attestationId, {
        credential: text(random(32)),
        storageKey: text(proof.public),
        proof: { statement: text(proof.statement), signature: text(proof.signature) },
      });
    },
    /** Not restricted: it would sign whatever it is given, statements of a TPM among them. */
    weakAttestationKey: () => {
      const area = Buffer.from('0058' + '0023000b0004047200000010', 'hex');
      const rest = '0018000b000300100020';
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      const point = [Buffer.from(x, 'base64url'), Buffer.from('0020', 'hex'), Buffer.from(y, 'base64url')];
      return new Uint8Array(Buffer.concat([area, Buffer.from(rest, 'hex'), ...point]));
    },
    /** The TPM's storage key but for its point, whose private half is here: the key wrapped to it could be opened. */
    softwareParent: () => {
      const area = Buffer.from('005a0023000b00030472000000060080004300100003001000200020', 'hex');
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      const [head, tail] = [area.subarray(0, -2), area.subarray(-2)];
      return new Uint8Array(Buffer.concat([head, Buffer.from(x, 'base64url'), tail, Buffer.from(y, 'base64url')]));
    },
    async writeCard() {
      const parent = await maker.parent();
      const wrapped = await server.administratorKey(enrolmentId, text(parent.public));
      const administratorKeyName = new Uint8Array(Buffer.from(wrapped.name, 'hex'));
      const administratorKey = await maker.importAdministratorKey({
        name: administratorKeyName,
        public: bytes(wrapped.public),
        duplicate: bytes(wrapped.duplicate),
        inSymSeed: bytes(wrapped.inSymSeed),
      });
      const slot = await maker.chooseSlot();
      await maker.prepare(slot, administratorKeyName, Secret.fromText(PIN));
      const { pinLimit } = claimed.profile;
      record = { slot, parentName: parent.name, administratorKeyName, administratorKey, successions: [], pinLimit };
      const challenge = await maker.firstWriteChallenge(record);
      const nonce = text(challenge.nonce);
      const answer = await server.firstWrite(enrolmentId, { keyVersion: wrapped.keyVersion, nvIndex: slot, nonce });
      await challenge.finish(bytes(answer.answer));
      key = await maker.makeKey(record, 'ec-p256');
    },
    evidence: () => evidenceOf(attestation(), server, record, key) as Promise<TextEvidence>,
    /** Keys that this TPM really made and states to have made, but not as a card's key must be. */
    async rawKeys(nonce: string): Promise<Record<'withAuth' | 'otherPolicy' | 'otherParent', MadeKey>> {
      await maker.close();
      try {
        return await madeKeys(tcti, bytes(nonce), claimed.cardSerial);
      } finally {
        maker = tpmCardMaker(await openTpm(tcti));
      }
    },
    foreignEvidence: (nonce: string) =>
      elsewhere(async (there) => {
        const { statement, signature } = await there.attestation().proveParent(bytes(nonce));
        return { statement: text(statement), signature: text(signature) };
      }),
    index: async (nonce: string) => {
      const { statement, signature } = await attestation().proveCard(record, bytes(nonce));
      return { statement: text(statement), signature: text(signature) };
    },
    softwareRequest: () => softwareRequest(claimed.cardSerial),
    makeMaker: async (openssl: OpenSsl, rootsDir: string): Promise<MakerCertificates> =>
      makerCertificates(openssl, device.directory, rootsDir, (await endorsement()).certificate),
    async attestAgain(): Promise<{ certificates: unknown }> {
      const evidence = await this.evidence();
      return { certificates: await server.attestCard(cardId, [{ container: 'sign-in', evidence }]) };
    },
    assertion: (parts: AssertionChange) => signed(maker, keyName, parts),
    foreignAssertion: (parts: AssertionChange) =>
      elsewhere(async (there) => {
        const { name } = await there.attestation().identity();
        return signed(there, Buffer.from(name).toString('hex'), parts);
      }),
    attestElsewhere: () => elsewhere((there) => attestDevice(there.attestation(), httpServer(known, {}, {}))),
    /** A device that registers with the storage key of one TPM, and attests another one. */
    async attestForAnother(): Promise<void> {
      const token = Buffer.from(random(32)).toString('base64url');
      await elsewhere((there) => claim(there, 'Trent Twofold', token));
      await attestDevice(attestation(), httpServer({ ...known, deviceToken: token }, {}, {}));
    },
    claimElsewhere: (): Promise<unknown> => elsewhere((there) => claim(there, 'Trudy Intruder')),
    close: () => maker.close(),
  };
}

type OpenSsl = (...args: string[]) => Buffer;
interface AssertionChange {
  readonly deviceId: string;
  readonly audience: string;
  readonly now: Date;
  readonly jti: string;
}

/** Each attack on the evidence of a certificate request, by the code of its refusal. */
export async function evidenceVariants(attacker: AttackedDevice): Promise<[string, () => Promise<unknown>][]> {
  const good = await attacker.evidence();
  const { nonce } = good;
  const raw = await attacker.rawKeys(nonce);
  const stale = Buffer.from(good.nonce, 'base64').reverse().toString('base64');
  const flipped = Buffer.from(good.key.signature, 'base64');
  flipped[30] = (flipped[30] ?? 0) ^ 1;
  const changed = (change: Partial<TextEvidence>) => () => attacker.certificate({ evidence: { ...good, ...change } });
  const made =
    ({ csr, proof }: MadeKey) =>
    () =>
      attacker.certificate({ csr, evidence: { ...good, key: proof } });
  const foreign = await attacker.foreignEvidence(nonce);
  return [
    ['attestation-required', () => attacker.certificate({ evidence: null })],
    ['evidence-stale', changed({ nonce: stale })],
    ['evidence-stale', changed({ nonce: await attacker.nonce() })],
    ['evidence-malformed', changed({ key: { ...good.key, statement: good.key.statement.slice(0, 40) } })],
    ['evidence-not-by-tpm', changed({ key: { ...good.key, statement: text(random(100)) } })],
    ['evidence-signature-invalid', changed({ key: { ...good.key, signature: flipped.toString('base64') } })],
    ['evidence-type-wrong', changed({ key: { ...good.key, ...good.index } })],
    ['evidence-type-wrong', changed({ index: foreign })],
    ['key-name-wrong', changed({ key: { ...good.key, public: raw.withAuth.proof.public } })],
    ['key-of-another-certificate', () => attacker.certificate({ csr: attacker.softwareRequest(), evidence: good })],
    ['key-user-with-auth', made(raw.withAuth)],
    ['key-policy-wrong', made(raw.otherPolicy)],
    ['key-parent-wrong', made(raw.otherParent)],
  ];
}

/** A request for a key in software, signed as it should be. */
function softwareRequest(commonName: string): Bytes {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const { info } = certificationRequestInfo(spki, commonName, 'ec-p256');
  return certificationRequest(info, 'ec-p256', signWith('sha256', info, privateKey));
}
