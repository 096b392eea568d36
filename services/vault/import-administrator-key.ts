import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '@cardwright/protocol';
import { addFirstKey, type KeyWithPukPorts, keepPuk } from './card-puk.ts';
import { keyCheckValue } from './challenge-response.ts';
import { type Custody, sealKey, withKey } from './custody.ts';
import { type Fingerprinter, fingerprinter } from './fingerprint.ts';
import { type KeyFacts, type KeyRecord, NO_LINEAGE } from './key-record.ts';
import { isDefaultKey, parseKeyText } from './key-text.ts';
import type { ImportAdministratorKey, ImportableAlgorithm, ImportedAdministratorKey } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { keyConfirmed } from './refusals.ts';
import { openSealedText } from './sealed-text.ts';

/** See VaultClient.importAdministratorKey. Records its use when it succeeds. */
export async function importAdministratorKey(
  ports: KeyWithPukPorts & { readonly keys: KeyStore },
  params: ImportAdministratorKey,
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<ImportedAdministratorKey> {
  const { custody, keys, secrets } = ports;
  const { cardId, algorithm } = params;
  const key = await openKey(custody, params);
  try {
    const kcv = key.use((bytes) => keyCheckValue(bytes, algorithm));
    const versions = await keys.list(cardId);
    if (versions.length === 0) {
      const facts: KeyFacts = {
        cardId,
        keyVersion: 1,
        algorithm,
        strategy: 'random-stored',
        masterVersion: null,
        kcv,
        tpmName: null,
        pinLimit: null,
        ...NO_LINEAGE,
      };
      const blob = await sealKey(custody, facts, key);
      const fingerprints = await fingerprinter(custody, secrets, use);
      const fingerprint = fingerprintOf(fingerprints, key, algorithm);
      fingerprints.close();
      const prepared = { facts, blob, source: null, fingerprint };
      if (await addFirstKey(ports, prepared, params.puk, { ...use, keyVersion: 1 })) {
        return { keyVersion: 1, kcv };
      }
    }
    const same = await findSame(custody, versions.length === 0 ? await keys.list(cardId) : versions, algorithm, key);
    if (same === undefined) throw keyConfirmed();
    await keepPuk(ports, params, use, recordRepeat);
    await recordRepeat({ ...use, keyVersion: same.keyVersion });
    return { keyVersion: same.keyVersion, kcv };
  } finally {
    key.wipe();
  }
}

/** The key of one card, checked; the caller's to wipe. */
export async function openKey(
  custody: Custody,
  params: Pick<ImportAdministratorKey, 'jwe' | 'cardSerial' | 'algorithm' | 'takeOver'>,
): Promise<Secret> {
  const wanted = { type: 'administrator-key', cardSerial: params.cardSerial } as const;
  const text = await openSealedText(custody.provider, params.jwe, wanted);
  try {
    return text.use((bytes) => parseKeyText(bytes, params.algorithm, params.takeOver));
  } finally {
    text.wipe();
  }
}

/** The default key has none: that cards share what everybody knows is nothing to be found out, or to be flagged. */
export function fingerprintOf(by: Fingerprinter, key: Secret, algorithm: ImportableAlgorithm): Uint8Array | null {
  return isDefaultKey(key) ? null : by.of(key, algorithm);
}

/** The caller repeats after a lost reply: the same key is already there. */
async function findSame(
  custody: Custody,
  versions: readonly KeyRecord[],
  algorithm: ImportableAlgorithm,
  key: Secret,
): Promise<KeyRecord | undefined> {
  for (const record of versions) {
    if (record.state !== 'confirmed' || record.algorithm !== algorithm || record.source !== null) continue;
    const same = await withKey(custody, record, (stored) =>
      key.use((given) => stored.length === given.length && timingSafeEqual(stored, given)),
    );
    if (same) return record;
  }
  return undefined;
}
