import { DomainError } from '@cardwright/protocol';
import { addFirstKey, keepPuk } from './card-puk.ts';
import { keyCheckValue } from './challenge-response.ts';
import type { Custody } from './custody.ts';
import { demandUniformAllowed } from './import-named-key.ts';
import { type KeyFacts, type KeyRecord, type KeySource, NO_LINEAGE, type SecretKind } from './key-record.ts';
import { sealSource, withCardKey } from './key-source.ts';
import type { AdoptAdministratorKey, ImportableAlgorithm, ImportedAdministratorKey, KeyOrigin } from './operations.ts';
import type { ImportStore, KeyStore, SecretStore, Use } from './ports.ts';
import { keyConfirmed } from './refusals.ts';

export interface AdoptPorts {
  readonly custody: Custody;
  readonly keys: KeyStore;
  readonly secrets: SecretStore;
  readonly imports: ImportStore;
  readonly uniformAllowed: boolean;
}

/** A row for a card whose key comes from a named key, checked by having that key once; not stored yet. */
export async function prepareAdoption(
  { custody, secrets, uniformAllowed }: Omit<AdoptPorts, 'keys' | 'imports'>,
  params: Pick<AdoptAdministratorKey, 'cardId' | 'algorithm' | 'origin' | 'kcv'>,
): Promise<{ readonly facts: KeyFacts; readonly source: KeySource }> {
  const { cardId, algorithm, origin } = params;
  if (origin.strategy === 'uniform') demandUniformAllowed(uniformAllowed);
  const named = await secrets.findNamed(kindOf(origin), origin.keyName);
  if (named === undefined) {
    throw new DomainError('unprocessable', 'named-key-unknown', `The vault has no ${kindOf(origin)} of that name.`);
  }
  if (named.algorithm !== algorithm) {
    const detail = `The ${named.kind} ${named.name} is for ${named.algorithm}, and the card is said to have ${algorithm}`;
    throw new DomainError('unprocessable', 'administrator-key-algorithm', detail);
  }
  const source: KeySource =
    origin.strategy === 'uniform'
      ? { secretId: named.id, derivation: null, diversifier: null }
      : { secretId: named.id, derivation: origin.derivation, diversifier: origin.diversifier };
  const draft: KeyFacts = {
    cardId,
    keyVersion: 1,
    algorithm,
    strategy: origin.strategy,
    masterVersion: null,
    kcv: null,
    tpmName: null,
    pinLimit: null,
    ...NO_LINEAGE,
  };
  const kcv = await checkValueOf(custody, secrets, draft, source, algorithm);
  if (params.kcv !== undefined && params.kcv !== kcv) {
    throw new DomainError(
      'unprocessable',
      'key-check-value',
      `The key that follows has the check value ${kcv}, and ${params.kcv} was given: another key, diversifier or form.`,
    );
  }
  return { facts: { ...draft, kcv }, source };
}

/** See VaultClient.adoptAdministratorKey. */
export async function adoptAdministratorKey(
  ports: AdoptPorts,
  params: AdoptAdministratorKey,
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<ImportedAdministratorKey> {
  const { custody, keys } = ports;
  const { facts, source } = await prepareAdoption(ports, params);
  const kcv = facts.kcv ?? '';
  const blob = await sealSource(custody, facts, source);
  const done = { ...use, keyVersion: facts.keyVersion };
  if (await addFirstKey(ports, { facts, blob, source, fingerprint: null }, params.puk, done)) {
    return { keyVersion: facts.keyVersion, kcv };
  }
  const confirmed = (await keys.list(params.cardId)).find((record) => record.state === 'confirmed');
  if (confirmed === undefined || !isSameSource(confirmed, source)) throw keyConfirmed();
  await keepPuk(ports, params, use, recordRepeat);
  await recordRepeat(done);
  return { keyVersion: confirmed.keyVersion, kcv };
}

function kindOf(origin: KeyOrigin): SecretKind {
  return origin.strategy === 'uniform' ? 'uniform-key' : `${origin.derivation}-master`;
}

async function checkValueOf(
  custody: Custody,
  secrets: SecretStore,
  facts: KeyFacts,
  source: KeySource,
  algorithm: ImportableAlgorithm,
): Promise<string> {
  const blob = await sealSource(custody, facts, source);
  // As it will be had for an answer: what does not work now is not taken in.
  const record: KeyRecord = {
    ...facts,
    ...blob,
    state: 'proposed',
    succeeded: false,
    source,
    firstWrite: null,
    createdAt: new Date(0),
  };
  return withCardKey(custody, secrets, record, (key) => keyCheckValue(key, algorithm));
}

export function isSameSource({ source }: KeyRecord, wanted: KeySource): boolean {
  const text = ({ secretId, derivation, diversifier }: KeySource) =>
    [secretId, derivation, diversifier === null ? null : Buffer.from(diversifier).toString('hex')].join('|');
  return source !== null && text(source) === text(wanted);
}
