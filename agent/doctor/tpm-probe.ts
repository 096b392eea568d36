import { isDomainError } from '@cardwright/protocol';
import {
  CARD_NV_ATTRIBUTES,
  CARD_NV_FIRST,
  CARD_NV_LAST,
  NV_WRITTEN,
  OBJECT_ATTRIBUTE,
  PIN_COUNTER_BYTES,
  parsePublic,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import {
  commandCodes,
  describeTpm,
  eccCurves,
  handlesInUse,
  readLockout,
  readNvPublic,
  readProperties,
  StorageRoots,
  type Tpm,
} from '../tpm/index.ts';
import { CARD_PLACES_MAX, type StorageKeyFacts, type TpmAnswer, type TpmFacts } from './facts.ts';
import { isTrial, removeLeftOvers, tryPinIndex } from './trial.ts';

/** TPM_PT, Part 2 section 6.14. */
const PROPERTY = { permanent: 0x200, startupClear: 0x201, persistentAvailable: 0x209 } as const;
/** TPMA_PERMANENT and TPMA_STARTUP_CLEAR, Part 2 sections 8.6 and 8.7. */
const OWNER_AUTH_SET = 1 << 0;
const ENABLED = { storage: 1 << 1, endorsement: 1 << 2 } as const;

const STORAGE_KEY = 0x81000001;
/** Where EK certificates stand: TCG EK Credential Profile 2.5, section 2.2.1.4 and 2.2.1.5 (low and high range). */
const EK_CERTIFICATES = new Set([0x01c00002, 0x01c0000a, 0x01c00012, 0x01c00014, 0x01c00016, 0x01c0001c]);
const NV_FIRST = 0x01000000;
const NV_LAST = 0x01ffffff;
const CURVE = { p256: 0x0003, p384: 0x0004 } as const;

/** All that a card's life asks of its TPM. */
const NEEDED = [
  'NV_UndefineSpace',
  'NV_DefineSpace',
  'CreatePrimary',
  'NV_Write',
  'NV_ChangeAuth',
  'NV_Read',
  'PolicyNV',
  'PolicySecret',
  'Create',
  'Import',
  'Load',
  'Sign',
  'PolicySigned',
  'FlushContext',
  'NV_ReadPublic',
  'PolicyAuthorize',
  'PolicyCommandCode',
  'PolicyOR',
  'ReadPublic',
  'StartAuthSession',
  'VerifySignature',
  'NV_Certify',
] as const satisfies readonly (keyof typeof TPM_CC)[];

/** Asks `tpm` for all that is to be known of it, and leaves nothing in it. */
export async function probeTpm(tpm: Tpm): Promise<TpmFacts> {
  const described = await describeTpm(tpm);
  const properties = await readProperties(tpm, PROPERTY.permanent, 32);
  const startup = properties.get(PROPERTY.startupClear) ?? 0;
  const commands = await commandCodes(tpm);
  const curves = await eccCurves(tpm);
  const leftOverRemoved = await removeLeftOvers(tpm);
  const nvIndexes = await handlesInUse(tpm, NV_FIRST, NV_LAST);
  return {
    ...described,
    ownerPasswordSet: ((properties.get(PROPERTY.permanent) ?? 0) & OWNER_AUTH_SET) !== 0,
    hierarchies: { storage: (startup & ENABLED.storage) !== 0, endorsement: (startup & ENABLED.endorsement) !== 0 },
    lockout: await readLockout(tpm),
    pinIndex: await tryPinIndex(tpm),
    leftOverRemoved,
    roomForKeys: properties.get(PROPERTY.persistentAvailable) ?? null,
    nvIndexes: nvIndexes.length,
    cardPlaces: await cardPlaces(tpm, nvIndexes),
    storageKey: await storageKey(tpm),
    endorsementCertificates: nvIndexes.filter((nvIndex) => EK_CERTIFICATES.has(nvIndex)),
    missingCommands: NEEDED.filter((name) => !commands.has(TPM_CC[name])),
    curves: { p256: curves.has(CURVE.p256), p384: curves.has(CURVE.p384) },
  };
}

/** The same, with what keeps a TPM from answering as an answer too. */
export async function askTpm(open: () => Promise<Tpm>): Promise<TpmAnswer> {
  try {
    const tpm = await open();
    try {
      return { answers: true, facts: await probeTpm(tpm) };
    } finally {
      await tpm.close();
    }
  } catch (error) {
    if (!isDomainError(error)) throw error;
    return { answers: false, code: error.code, detail: error.detail };
  }
}

/** By the attributes and the size, which another program has no use for; whose card it is, the store knows. */
async function cardPlaces(tpm: Tpm, nvIndexes: readonly number[]): Promise<number[]> {
  const places: number[] = [];
  for (const nvIndex of nvIndexes) {
    if (nvIndex < CARD_NV_FIRST || nvIndex > CARD_NV_LAST || places.length >= CARD_PLACES_MAX) continue;
    const found = await readNvPublic(tpm, nvIndex);
    if (found === undefined || found.dataSize !== PIN_COUNTER_BYTES) continue;
    if ((found.attributes & ~NV_WRITTEN) === CARD_NV_ATTRIBUTES && !isTrial(found)) places.push(nvIndex);
  }
  return places;
}

async function storageKey(tpm: Tpm): Promise<StorageKeyFacts> {
  const standing = (await handlesInUse(tpm, STORAGE_KEY, STORAGE_KEY)).length > 0;
  const roots = new StorageRoots(tpm);
  try {
    const root = await roots.current();
    const persistent = root.handle === STORAGE_KEY ? 'yes' : standing ? 'other' : 'no';
    const { attributes } = parsePublic(root.public, 'tpm-response-malformed');
    const stopsWhenLocked = (attributes & OBJECT_ATTRIBUTE.noDA) === 0;
    return { persistent, name: Buffer.from(root.name).toString('hex'), stopsWhenLocked };
  } catch (error) {
    if (!isDomainError(error) || error.kind === 'unavailable') throw error;
    return { persistent: standing ? 'other' : 'no', name: null, stopsWhenLocked: false };
  } finally {
    await roots.release();
  }
}
