import { timingSafeEqual } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import type { Custody } from './custody.ts';
import type { SecretFacts } from './key-record.ts';
import type { ImportPuk, Requester, SealedPuk, ShownPuk, ShowPuk } from './operations.ts';
import type { ImportStore, KeyStore, PreparedKey, SecretStore, Use } from './ports.ts';
import { openSealedText } from './sealed-text.ts';
import { openSecret, sealSecret } from './secret-seal.ts';
import { uuidOf } from './uuid.ts';

const LEAST = 4;
const MOST = 127;

/** See VaultClient.importPuk. */
export async function importPuk(
  custody: Custody,
  secrets: SecretStore,
  params: ImportPuk & { readonly id: string },
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<void> {
  const puk = await openPuk(custody, params);
  try {
    const facts = pukFacts(params.id, params.cardId);
    if (await secrets.addSecret(facts, await sealSecret(custody, facts, puk), use)) return;
    if (!(await hasPuk(custody, secrets, params.cardId, puk))) throw new Error('a PUK is stored and is not there');
    await recordRepeat(use);
  } finally {
    puk.wipe();
  }
}

/** Of a repeated import whose key is there: the PUK that came with it is stored too. */
export async function keepPuk(
  { custody, secrets }: Pick<KeyWithPukPorts, 'custody' | 'secrets'>,
  { cardId, puk, ...asked }: Requester & { readonly cardId: string; readonly puk?: SealedPuk },
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<void> {
  if (puk === undefined) return;
  const id = uuidOf(custody.random(16));
  const { requestedBy, requestId } = asked;
  const params = { cardId, ...puk, requestedBy, requestId, id };
  await importPuk(custody, secrets, params, { ...use, operation: 'puk.import' }, recordRepeat);
}

/** @returns false when the card has none. @throws DomainError `puk-stored` (conflict): it has another one. */
async function hasPuk(custody: Custody, secrets: SecretStore, cardId: string, puk: Secret): Promise<boolean> {
  const stored = await secrets.findNamed('puk', cardId);
  if (stored === undefined) return false;
  const opened = await openSecret(custody, stored);
  const same = opened.use((a) => puk.use((b) => a.length === b.length && timingSafeEqual(a, b)));
  opened.wipe();
  if (!same) throw new DomainError('conflict', 'puk-stored', 'The vault has another PUK of this card.');
  return true;
}

export interface KeyWithPukPorts {
  readonly custody: Custody;
  readonly keys: Pick<KeyStore, 'add'>;
  readonly secrets: SecretStore;
  readonly imports: Pick<ImportStore, 'addWithPuk'>;
}

/**
 * Stores the first key of a card, confirmed, and the PUK that came with it: in one act, so that a key which is refused
 * leaves no PUK behind. One that is there already must be the same.
 * @returns false when the card has a key.
 * @throws as {@link openPuk}; DomainError `puk-stored` (conflict).
 */
export async function addFirstKey(
  { custody, keys, secrets, imports }: KeyWithPukPorts,
  key: PreparedKey,
  sealed: SealedPuk | undefined,
  use: Use,
): Promise<boolean> {
  const { facts, source, fingerprint } = key;
  const alone = () => {
    const more = { ...(source === null ? {} : { source }), ...(fingerprint === null ? {} : { fingerprint }) };
    return keys.add(facts, key.blob, 'confirmed', use, more);
  };
  if (sealed === undefined) return alone();
  const puk = await openPuk(custody, sealed);
  try {
    if (await hasPuk(custody, secrets, facts.cardId, puk)) return await alone();
    const its = pukFacts(uuidOf(custody.random(16)), facts.cardId);
    return await imports.addWithPuk(key, { facts: its, blob: await sealSecret(custody, its, puk) }, use);
  } finally {
    puk.wipe();
  }
}

export const pukFacts = (id: string, cardId: string): SecretFacts => ({
  id,
  kind: 'puk',
  name: cardId,
  cardId,
  algorithm: null,
  kcv: null,
});

/** @returns the caller's to wipe. */
export async function openPuk(custody: Custody, params: Pick<ImportPuk, 'jwe' | 'cardSerial'>): Promise<Secret> {
  const puk = await openSealedText(custody.provider, params.jwe, { type: 'puk', cardSerial: params.cardSerial });
  const right = puk.use(
    (bytes) => bytes.length >= LEAST && bytes.length <= MOST && bytes.every((byte) => byte > 0x20 && byte < 0x7f),
  );
  if (right) return puk;
  puk.wipe();
  const detail = `A PUK is ${LEAST} to ${MOST} visible ASCII characters, without spaces.`;
  throw new DomainError('unprocessable', 'puk-malformed', detail);
}

/**
 * See VaultClient.showPuk. The one secret that leaves the vault: a person has to type it. Marked as shown, with its entry in
 * the record, before it is answered; what was shown once is not shown again, for nobody could tell who read it first.
 */
export async function showPuk(custody: Custody, secrets: SecretStore, params: ShowPuk, use: Use): Promise<ShownPuk> {
  const stored = await secrets.findNamed('puk', params.cardId);
  if (stored === undefined) throw new DomainError('not-found', 'puk-unknown', 'The vault has no PUK of this card.');
  const opened = await openSecret(custody, stored);
  try {
    if (!(await secrets.markShown(stored.id, use))) {
      const detail = 'The PUK was shown before, and is shown once: give the card another PUK.';
      throw new DomainError('conflict', 'puk-already-shown', detail);
    }
    return { puk: opened.use((bytes) => Buffer.from(bytes).toString('latin1')) };
  } finally {
    opened.wipe();
  }
}
