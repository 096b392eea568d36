import { timingSafeEqual } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import { keyCheckValue } from './challenge-response.ts';
import type { Custody } from './custody.ts';
import type { SecretFacts, SecretRecord } from './key-record.ts';
import { parseHexKey, parseKeyText } from './key-text.ts';
import type { ImportNamedKey, NamedKey, NamedKeyKind } from './operations.ts';
import type { SecretStore, Use } from './ports.ts';
import { openSealedText } from './sealed-text.ts';
import { openSecret, sealSecret } from './secret-seal.ts';

/** Whether uniform keys may be taken in, and given to cards: VAULT_UNIFORM_KEYS. What has one is answered in any case. */
export function demandUniformAllowed(allowed: boolean): void {
  if (allowed) return;
  throw new DomainError(
    'unprocessable',
    'uniform-keys-not-allowed',
    'One key for many cards is unsafe, and off: who learns it from one card has them all. Set VAULT_UNIFORM_KEYS=allowed ' +
      'on the vault if a fleet has to be managed as it is.',
  );
}

/** See VaultClient.importNamedKey. */
export async function importNamedKey(
  custody: Custody,
  secrets: SecretStore,
  params: ImportNamedKey & { readonly id: string },
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<NamedKey> {
  const { name, kind, algorithm } = params;
  const text = await openSealedText(custody.provider, params.jwe, { type: kind, cardSerial: name });
  let key: Secret;
  try {
    key = text.use((bytes) => parse(bytes, params));
  } finally {
    text.wipe();
  }
  try {
    const kcv = kind === 'dogtag-master' ? null : key.use((bytes) => keyCheckValue(bytes, algorithm));
    const facts: SecretFacts = { id: params.id, kind, name, cardId: null, algorithm, kcv };
    if ((await secrets.findNamed(kind, name)) === undefined) {
      await secrets.addSecret(facts, await sealSecret(custody, facts, key), use);
    }
    const stored = await secrets.findNamed(kind, name);
    if (stored === undefined) throw new Error('a named key was stored and is not there');
    if (stored.id !== params.id) {
      if (!(await isSame(custody, stored, algorithm, key))) throw exists(kind, name);
      await recordRepeat(use);
    }
    return describeNamedKey(stored);
  } finally {
    key.wipe();
  }
}

export function describeNamedKey({ name, kind, algorithm, kcv, createdAt }: SecretRecord): NamedKey {
  if (algorithm === null) throw new Error(`the named key ${name} has no algorithm`);
  return { name, kind: kind as NamedKeyKind, algorithm, kcv, createdAt: createdAt.toISOString() };
}

function parse(text: Uint8Array, { kind, algorithm }: ImportNamedKey): Secret {
  return kind === 'dogtag-master' ? parseHexKey(text, 16, 64) : parseKeyText(text, algorithm);
}

async function isSame(custody: Custody, stored: SecretRecord, algorithm: string, key: Secret): Promise<boolean> {
  if (stored.algorithm !== algorithm) return false;
  const opened = await openSecret(custody, stored);
  try {
    return opened.use((a) => key.use((b) => a.length === b.length && timingSafeEqual(a, b)));
  } finally {
    opened.wipe();
  }
}

function exists(kind: string, name: string): DomainError {
  return new DomainError(
    'conflict',
    'named-key-exists',
    `There is another ${kind} of the name ${name}; cards may depend on it, so give the new one a name of its own.`,
  );
}
