import { timingSafeEqual } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import type { Custody } from './custody.ts';
import type { SecretFacts } from './key-record.ts';
import type { ImportPuk, ShownPuk, ShowPuk } from './operations.ts';
import type { SecretStore, Use } from './ports.ts';
import { openSealedText } from './sealed-text.ts';
import { openSecret, sealSecret } from './secret-seal.ts';

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
    const stored = await secrets.findNamed('puk', params.cardId);
    if (stored === undefined) throw new Error('a PUK is stored and is not there');
    const opened = await openSecret(custody, stored);
    const same = opened.use((a) => puk.use((b) => a.length === b.length && timingSafeEqual(a, b)));
    opened.wipe();
    if (!same) throw new DomainError('conflict', 'puk-stored', 'the vault has another PUK of this card');
    await recordRepeat(use);
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
  const detail = `a PUK is ${LEAST} to ${MOST} visible ASCII characters, without spaces`;
  throw new DomainError('unprocessable', 'puk-malformed', detail);
}

/**
 * See VaultClient.showPuk. The one secret that leaves the vault: a person has to type it. Marked as shown, with its entry in
 * the record, before it is answered; what was shown once is not shown again, for nobody could tell who read it first.
 */
export async function showPuk(custody: Custody, secrets: SecretStore, params: ShowPuk, use: Use): Promise<ShownPuk> {
  const stored = await secrets.findNamed('puk', params.cardId);
  if (stored === undefined) throw new DomainError('not-found', 'puk-unknown', 'the vault has no PUK of this card');
  const opened = await openSecret(custody, stored);
  try {
    if (!(await secrets.markShown(stored.id, use))) {
      const detail = 'the PUK was shown before, and is shown once: give the card another PUK';
      throw new DomainError('conflict', 'puk-already-shown', detail);
    }
    return { puk: opened.use((bytes) => Buffer.from(bytes).toString('latin1')) };
  } finally {
    opened.wipe();
  }
}
