import { type Bytes, TPM_ALG, TPM_CC, u32 } from '@cardwright/protocol/tpm';
import { readSignature } from '../card/tpm/signature.ts';
import {
  commandCodes,
  createObject,
  describeTpm,
  EMPTY_AUTH,
  type Entity,
  eccCurves,
  type HmacSession,
  handlesInUse,
  importObject,
  PolicySession,
  readLockout,
  readNv,
  readNvPublic,
  readPublic,
  StorageRoots,
  sign,
  Tpm,
  verifySignature,
  withLoaded,
} from '../tpm/index.ts';
import type { FuzzedParser } from './fuzzed-parser.ts';
import { RESPONSES, STORED_KEYS } from './recorded.ts';

const NONE = new Uint8Array();
const bytes = (base64: string): Bytes => new Uint8Array(Buffer.from(base64, 'base64'));
type Named = keyof typeof RESPONSES;
const samples = (name: Named): Bytes[] => RESPONSES[name].map(bytes);

/** A TPM that answers the command of that name with `input`, and every other one as swtpm did. No time passes. */
function tpmThatAnswers(name: Named, input: Bytes): Tpm {
  const recorded = new Map<number, Bytes>();
  for (const known of Object.keys(RESPONSES) as Named[]) recorded.set(TPM_CC[known], samples(known)[0] ?? NONE);
  const done = Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0);
  // TPM_RC_HANDLE: no storage key is persistent.
  recorded.set(TPM_CC.ReadPublic, Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, ...u32(0x18b)));
  recorded.set(TPM_CC[name], input);
  const exchange = async (command: Bytes): Promise<Bytes> => {
    const code = new DataView(command.buffer, command.byteOffset).getUint32(6);
    return recorded.get(code) ?? done;
  };
  const transport = { target: 'a TPM that is not well', managed: true, exchange, close: async () => undefined };
  return new Tpm(transport, { random: (count) => new Uint8Array(count).fill(1), pause: async () => undefined });
}

const entity: Entity = { handle: 0x80000000, name: u32(0x80000000) };
const scheme = { algorithm: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 };
/** As `card/tpm/stored.ts` keeps it: magic, then two TPM2Bs. */
const blob = bytes(STORED_KEYS[0]);
const areaSize = ((blob[4] ?? 0) << 8) | (blob[5] ?? 0);
const stored = { publicArea: blob.slice(6, 6 + areaSize), privateArea: blob.slice(8 + areaSize, 100 + areaSize) };

const reading = (name: Named, parse: (tpm: Tpm) => Promise<unknown>): FuzzedParser => ({
  parse: (input) => parse(tpmThatAnswers(name, input)),
  samples: samples(name),
});

/** Everything in agent/tpm that reads what a TPM answered. */
export const TPM_PARSERS: Readonly<Record<string, FuzzedParser>> = {
  'TPM properties': reading('GetCapability', describeTpm),
  'TPM lockout': reading('GetCapability', readLockout),
  'TPM handles': reading('GetCapability', (tpm) => handlesInUse(tpm, 0x01800000, 0x01bfffff)),
  'TPM commands': reading('GetCapability', commandCodes),
  'TPM curves': reading('GetCapability', eccCurves),
  'TPM storage key': reading('CreatePrimary', (tpm) => new StorageRoots(tpm).current()),
  'TPM persistent storage key': reading('ReadPublic', (tpm) => new StorageRoots(tpm).current()),
  'TPM public area': reading('ReadPublic', (tpm) => readPublic(tpm, 0x81000001)),
  'TPM index': reading('NV_ReadPublic', (tpm) => readNvPublic(tpm, 0x01800000)),
  'TPM index data': reading('NV_Read', (tpm) => readNv(tpm, entity, EMPTY_AUTH, 8)),
  'TPM new key': reading('Create', (tpm) => createObject(tpm, entity, NONE)),
  'TPM import': reading('Import', (tpm) =>
    importObject(tpm, entity, { public: Uint8Array.of(0, 0), duplicate: NONE, inSymSeed: NONE }),
  ),
  'TPM load': reading('Load', (tpm) => withLoaded(tpm, entity, stored, async () => undefined)),
  'TPM signature': reading('Sign', async (tpm) =>
    readSignature(await sign(tpm, entity, EMPTY_AUTH, NONE, scheme), scheme),
  ),
  'TPM ticket': reading('VerifySignature', (tpm) => verifySignature(tpm, entity, NONE, NONE)),
  'TPM policy session': reading('StartAuthSession', (tpm) => PolicySession.start(tpm)),
  'TPM HMAC session': reading('StartAuthSession', async (tpm) => {
    const roots = new StorageRoots(tpm);
    return roots.session(await roots.current());
  }),
  'TPM answer under a session': reading('PolicyNV', async (tpm) => {
    const roots = new StorageRoots(tpm);
    const session: HmacSession = await roots.session(await roots.current());
    const authorizers = [session.proving(NONE, 'nothing-to-hide')];
    return tpm.run({ code: TPM_CC.PolicyNV, handles: [entity, entity, entity], authorizers });
  }),
};
