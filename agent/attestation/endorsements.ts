import {
  CERTIFICATE_CHAIN_INDEXES,
  ENDORSEMENT_TEMPLATES,
  type EndorsementTemplate,
  parseEndorsementKey,
  TPM_RH_ENDORSEMENT,
} from '@cardwright/protocol/attestation';
import { type Bytes, sized } from '@cardwright/protocol/tpm';
import { createPrimary, type Entity, handlesInUse, isRefusal, readOpenNv, readPublic, type Tpm } from '../tpm/index.ts';
import type { Endorsement } from './port.ts';

/** Where makers and provisioning tools make endorsement keys persistent (TCG, Registry of Reserved Handles). */
const PERSISTENT = { first: 0x81010000, last: 0x8101ffff } as const;
const MAX_CERTIFICATE = 8192;
const MAX_CHAIN = 8;
/** A maker's template is at most a TPMT_PUBLIC. */
const MAX_TEMPLATE = 700;

export interface FoundEndorsement extends Endorsement {
  /** Where the key stands, or what it is made from anew. */
  readonly at: { readonly handle: number } | { readonly template: Bytes };
}

/** Those whose certificate is in the TPM, and whose key is the certified one. A key that must be made is made and flushed. */
export async function findEndorsements(tpm: Tpm): Promise<FoundEndorsement[]> {
  const found: FoundEndorsement[] = [];
  let chain: Bytes[] | undefined;
  for (const template of ENDORSEMENT_TEMPLATES) {
    const stored = await readOpenNv(tpm, template.certificateIndex, MAX_CERTIFICATE);
    const [certificate] = stored === undefined ? [] : splitDer(stored);
    if (certificate === undefined) continue;
    const key = await findKey(tpm, template, certificate);
    if (key === undefined) continue;
    chain ??= await readChain(tpm);
    found.push({ ...key, certificate, chain });
  }
  return found;
}

/** Loads the key for `work`, and flushes one that was made for it. */
export async function withEndorsementKey<T>(
  tpm: Tpm,
  { at, public: tpm2bPublic }: FoundEndorsement,
  work: (key: Entity) => Promise<T>,
): Promise<T> {
  const name = parseEndorsementKey(tpm2bPublic).name;
  if ('handle' in at) return work({ handle: at.handle, name });
  const { handle } = await createPrimary(tpm, TPM_RH_ENDORSEMENT, at.template);
  try {
    return await work({ handle, name });
  } finally {
    await tpm.flush(handle);
  }
}

type Key = Pick<FoundEndorsement, 'public' | 'at'>;

async function findKey(tpm: Tpm, template: EndorsementTemplate, certificate: Bytes): Promise<Key | undefined> {
  for (const handle of await handlesInUse(tpm, PERSISTENT.first, PERSISTENT.last)) {
    const area = await readPublic(tpm, handle);
    if (isCertified(area, certificate)) return { public: sized(area), at: { handle } };
  }
  for (const candidate of [template.template, await makersTemplate(tpm, template)]) {
    if (candidate === undefined) continue;
    const area = await publicOfPrimary(tpm, candidate);
    if (area !== undefined && isCertified(area, certificate))
      return { public: sized(area), at: { template: candidate } };
  }
  return undefined;
}

/** Undefined where this TPM can't make such a key. */
async function publicOfPrimary(tpm: Tpm, template: Bytes): Promise<Bytes | undefined> {
  try {
    const { handle, publicArea } = await createPrimary(tpm, TPM_RH_ENDORSEMENT, template);
    await tpm.flush(handle);
    return publicArea;
  } catch (error) {
    if (isRefusal(error) && error.code === 'tpm-refused') return undefined;
    throw error;
  }
}

/** A template of the maker's own, with his nonce in the place of the unique field (EK Credential Profile, section 2.2.1.4). */
async function makersTemplate(tpm: Tpm, template: EndorsementTemplate): Promise<Bytes | undefined> {
  if (template.templateIndex === null || template.nonceIndex === null) return undefined;
  const own = await readOpenNv(tpm, template.templateIndex, MAX_TEMPLATE);
  const nonce = await readOpenNv(tpm, template.nonceIndex, MAX_TEMPLATE);
  const base = own ?? template.template;
  if (nonce === undefined) return own;
  const filled = Uint8Array.from(base);
  // unique stands at the end: for RSA the modulus, for ECC the x and the y, of which the nonce fills the first one.
  const unique = template.label === 'L-1' ? 256 : 66;
  filled.set(nonce.subarray(0, template.label === 'L-1' ? 256 : 32), Math.max(0, filled.length - unique));
  return filled;
}

/** The certified key's own number stands in its certificate: no reading of X.509 is needed to know which key it is of. */
function isCertified(area: Bytes, certificate: Bytes): boolean {
  try {
    const key = parseEndorsementKey(sized(area));
    const number = key.kind === 'rsa' ? [key.modulus] : [key.x, key.y];
    return Buffer.from(certificate).includes(Buffer.concat(number));
  } catch {
    return false; // some other key: not ours to judge
  }
}

async function readChain(tpm: Tpm): Promise<Bytes[]> {
  const chain: Bytes[] = [];
  for (const index of await handlesInUse(tpm, CERTIFICATE_CHAIN_INDEXES.first, CERTIFICATE_CHAIN_INDEXES.last)) {
    chain.push(...splitDer((await readOpenNv(tpm, index, MAX_CERTIFICATE)) ?? new Uint8Array()));
  }
  return chain.slice(0, MAX_CHAIN);
}

/** Certificates one after the other; makers fill the rest of an index with zeros or ones. */
function splitDer(bytes: Bytes): Bytes[] {
  const parts: Bytes[] = [];
  for (let at = 0; bytes[at] === 0x30 && bytes[at + 1] === 0x82; ) {
    const end = at + 4 + ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0);
    if (end > bytes.length) break;
    parts.push(bytes.slice(at, end));
    at = end;
  }
  return parts;
}
