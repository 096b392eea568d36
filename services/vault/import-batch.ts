import { createHash } from 'node:crypto';
import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { type AdoptPorts, prepareAdoption } from './adopt-administrator-key.ts';
import { openPuk, pukFacts } from './card-puk.ts';
import { keyCheckValue } from './challenge-response.ts';
import { sealKey } from './custody.ts';
import { type Fingerprinter, fingerprinter } from './fingerprint.ts';
import { fingerprintOf, openKey } from './import-administrator-key.ts';
import { type KeyFacts, type KeySource, NO_LINEAGE, type SealedKey } from './key-record.ts';
import { sealSource } from './key-source.ts';
import type { BatchLine, BatchReport, ImportBatch, ImportBatchLine } from './operations.ts';
import type { PreparedKey, PreparedPuk, Use } from './ports.ts';
import { sealSecret } from './secret-seal.ts';
import { uuidOf } from './uuid.ts';

/** A link's message is 1 MiB at most, and a batch is one statement. */
export const MAX_BATCH_LINES = 500;

interface Prepared {
  readonly key: PreparedKey;
  readonly puk: PreparedPuk | null;
}

export type ImportBatchPorts = AdoptPorts;

/**
 * See VaultClient.importBatch. Every line is judged before any is stored; then all are, in one statement that also says so
 * in the record, or none is.
 */
export async function importBatch(
  ports: ImportBatchPorts,
  params: ImportBatch,
  use: Use,
  record: (use: Use) => Promise<void>,
): Promise<BatchReport> {
  const digest = contentDigest(params);
  const before = await isStored(ports, params, digest);
  const fingerprints = await fingerprinter(ports.custody, ports.secrets, use);
  const prepared: (Prepared | undefined)[] = [];
  const lines: BatchLine[] = [];
  try {
    for (const line of params.lines) {
      const { result, report } = await judge(ports, fingerprints, line);
      prepared.push(result);
      lines.push(report);
    }
  } finally {
    fingerprints.close();
  }
  if (before) return { stored: true, lines };
  const flagged = await flagKnown(ports, params, prepared, lines);
  const wrong = flagged.some((line) => line.code !== null || (line.duplicate && !params.acceptDuplicates));
  // Perhaps by this very batch, a moment ago.
  if (wrong && (await isStored(ports, params, digest))) return { stored: true, lines };
  if (wrong || params.dryRun) return { stored: false, lines: flagged };
  const whole = prepared.flatMap((one) => (one === undefined ? [] : [one]));
  const stored = await ports.imports.addBatch(
    { id: params.batchId, digest },
    whole.map(({ key }) => key),
    whole.flatMap(({ puk }) => puk ?? []),
    use,
  );
  // Somebody else was faster, for one of these cards or for all of them: what is there now says which.
  if (!stored) return importBatch(ports, params, use, record);
  const each = { operation: 'key.import', keyVersion: 1, challengeDigest: null };
  await Promise.all(params.lines.map(({ cardId }) => record({ ...use, ...each, cardId })));
  return { stored: true, lines: flagged };
}

/** @throws DomainError `import-batch-reused` (conflict). */
async function isStored({ imports }: ImportBatchPorts, params: ImportBatch, digest: Uint8Array): Promise<boolean> {
  const stored = params.dryRun ? undefined : await imports.findBatch(params.batchId);
  if (stored === undefined) return false;
  if (Buffer.compare(stored, digest) !== 0) throw reused();
  return true;
}

async function judge(
  ports: ImportBatchPorts,
  fingerprints: Fingerprinter,
  line: ImportBatchLine,
): Promise<{ result: Prepared | undefined; report: BatchLine }> {
  try {
    const result = { key: await prepareKey(ports, fingerprints, line), puk: await preparePuk(ports, line) };
    return { result, report: { keyVersion: 1, kcv: result.key.facts.kcv, code: null, detail: null, duplicate: false } };
  } catch (error) {
    if (!isDomainError(error) || error.kind !== 'unprocessable') throw error;
    const { code, detail } = error;
    return { result: undefined, report: { keyVersion: null, kcv: null, code, detail, duplicate: false } };
  }
}

async function prepareKey(
  ports: ImportBatchPorts,
  fingerprints: Fingerprinter,
  line: ImportBatchLine,
): Promise<PreparedKey> {
  const { custody } = ports;
  const { cardId, cardSerial, algorithm, jwe, origin } = line;
  if ((jwe === null) === (origin === null)) {
    const detail = 'A card has either a sealed key or a named key that its own comes from.';
    throw new DomainError('unprocessable', 'administrator-key-missing', detail);
  }
  if (origin !== null) {
    const { facts, source } = await prepareAdoption(ports, {
      cardId,
      algorithm,
      origin,
      ...(line.kcv === null ? {} : { kcv: line.kcv }),
    });
    return { facts, blob: await sealSource(custody, facts, source), source, fingerprint: null };
  }
  const { takeOver = false } = line;
  const key = await openKey(custody, { jwe: jwe ?? '', cardSerial, algorithm, takeOver });
  try {
    return await prepareOwn(ports, fingerprints, line, key);
  } finally {
    key.wipe();
  }
}

async function prepareOwn(
  { custody }: ImportBatchPorts,
  fingerprints: Fingerprinter,
  { cardId, algorithm, kcv: wanted }: ImportBatchLine,
  key: Secret,
): Promise<PreparedKey> {
  const kcv = key.use((bytes) => keyCheckValue(bytes, algorithm));
  if (wanted !== null && wanted !== kcv) {
    const detail = `The key has the check value ${kcv}, and ${wanted} was given.`;
    throw new DomainError('unprocessable', 'key-check-value', detail);
  }
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
  const blob: SealedKey = await sealKey(custody, facts, key);
  const source: KeySource | null = null;
  return { facts, blob, source, fingerprint: fingerprintOf(fingerprints, key, algorithm) };
}

async function preparePuk({ custody }: ImportBatchPorts, line: ImportBatchLine): Promise<PreparedPuk | null> {
  if (line.puk === null) return null;
  const puk = await openPuk(custody, { jwe: line.puk, cardSerial: line.cardSerial });
  try {
    const facts = pukFacts(uuidOf(custody.random(16)), line.cardId);
    return { facts, blob: await sealSecret(custody, facts, puk) };
  } finally {
    puk.wipe();
  }
}

/** Cards that have a key already, and keys that another card has: in this batch or in the vault. */
async function flagKnown(
  { imports }: ImportBatchPorts,
  params: ImportBatch,
  prepared: readonly (Prepared | undefined)[],
  lines: readonly BatchLine[],
): Promise<BatchLine[]> {
  const prints = prepared.map((one) =>
    one?.key.fingerprint ? Buffer.from(one.key.fingerprint).toString('hex') : null,
  );
  const taken = await imports.cardsWithKeys(params.lines.map(({ cardId }) => cardId));
  const known = await imports.knownFingerprints(prepared.flatMap((one) => one?.key.fingerprint ?? []));
  const counts = new Map<string, number>();
  for (const print of prints) if (print !== null) counts.set(print, (counts.get(print) ?? 0) + 1);
  return lines.map((line, at) => {
    const print = prints[at] ?? null;
    if (line.code === null && taken.has(params.lines[at]?.cardId ?? '')) {
      const detail = 'The card has a confirmed administrator key.';
      return { ...line, keyVersion: null, code: 'administrator-key-confirmed', detail };
    }
    return { ...line, duplicate: print !== null && (known.has(print) || (counts.get(print) ?? 0) > 1) };
  });
}

function contentDigest({ batchId, acceptDuplicates, lines }: ImportBatch): Uint8Array {
  const text = (line: ImportBatchLine) => [
    ...[line.cardId, line.cardSerial, line.algorithm, line.jwe, line.kcv, line.puk],
    line.origin === null ? null : JSON.stringify(line.origin, (_, value: unknown) => shown(value)),
    ...(line.takeOver === true ? ['take-over'] : []),
  ];
  return createHash('sha256')
    .update(JSON.stringify([batchId, acceptDuplicates, lines.map(text)]))
    .digest();
}

const shown = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value);

function reused(): DomainError {
  return new DomainError('conflict', 'import-batch-reused', 'This id was used for another batch; make a new one.');
}
