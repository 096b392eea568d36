import { createPrivateKey, createPublicKey } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import type { ImportPublicKey } from '../operations.ts';
import type { ManagedProvider, RecoveryPublicKey } from '../provider.ts';
import { keyChanged } from '../rotation/current-keys.ts';
import { decodeRecoveryKey, encodeRecoveryKey } from './key-bundle.ts';
import { importPublicKeyOf, openImportWith, pointOf } from './sealed-import.ts';
import type { Token, TokenObject } from './token.ts';

const HASH_BYTES = 32;

/**
 * Keys in a token: KEKs, master secrets and the import key are sensitive and can't be extracted; data keys are wrapped
 * (AES-256-GCM), secrets derived (HMAC-SHA-256) and imports agreed on (ECDH) inside it. See infra/adr/0008.
 * @param token becomes the provider's.
 */
export async function pkcs11Provider(token: Token): Promise<ManagedProvider> {
  let objects: readonly TokenObject[] = [];
  let importKey: ImportPublicKey | undefined;
  let recoveryKey: RecoveryPublicKey | null = null;

  const versions = (kind: TokenObject['kind']) =>
    objects.flatMap((each) => (each.kind === kind ? [each.version] : [])).sort((a, b) => a - b);
  const newest = (kind: TokenObject['kind']) => Math.max(0, ...versions(kind));

  async function refresh(): Promise<void> {
    objects = await token.list();
    if (versions('import-key').length > 0 && importKey === undefined) {
      importKey = await importPublicKeyOf(publicKeyAt(await token.importPoint()));
    }
    recoveryKey = versions('recovery-key').length > 0 ? decodeRecoveryKey(await token.recoveryKey()) : null;
  }

  function importPublicKey(): ImportPublicKey {
    if (importKey !== undefined) return importKey;
    throw new DomainError('unprocessable', 'vault-token-empty', 'The token has no import key.');
  }

  await refresh();
  return {
    name: 'pkcs11',
    holders: ['pkcs11'],
    get kekVersion() {
      return newest('kek');
    },
    get masterVersion() {
      return newest('master');
    },
    get kekVersions() {
      return versions('kek');
    },
    get masterVersions() {
      return versions('master');
    },
    get importPublicKey() {
      return importPublicKey();
    },
    get recoveryKey() {
      return recoveryKey;
    },
    wrapWith: (version, dataKey, associatedData) =>
      dataKey.use((bytes) => token.encrypt(version, bytes, associatedData)),
    async wrap(dataKey, associatedData) {
      const kekVersion = newest('kek');
      const wrapped = await dataKey.use((bytes) => token.encrypt(kekVersion, bytes, associatedData));
      return { kekVersion, wrapped };
    },
    async unwrap({ kekVersion, wrapped }, associatedData) {
      return Secret.take(await token.decrypt(kekVersion, wrapped, associatedData));
    },
    async derive(masterVersion, fixedData, length) {
      if (length < 1 || length > 255 * HASH_BYTES) throw new RangeError('a derived key has 1 to 8160 bytes');
      if (!versions('master').includes(masterVersion)) {
        const detail = `The vault has no master secret of version ${masterVersion}`;
        throw new DomainError('internal', 'vault-blob-invalid', detail);
      }
      // counterModeKdf of derivation.ts, with the HMAC in the token.
      const derived = new Uint8Array(length);
      for (let at = 0, counter = 1; at < length; at += HASH_BYTES, counter += 1) {
        const input = Buffer.concat([Buffer.of(0, 0, 0, counter), fixedData]);
        const block = await token.hmac(masterVersion, input);
        derived.set(block.subarray(0, Math.min(HASH_BYTES, length - at)), at);
        block.fill(0);
      }
      return Secret.take(derived);
    },
    async openImport(jwe) {
      return openImportWith(jwe, importPublicKey().kid, async (point) => Secret.take(await token.agree(point)));
    },
    refresh,
    async addKek(version, key) {
      await addSecretKey('kek', version, key);
    },
    async addMaster(version, key) {
      await addSecretKey('master', version, key);
    },
    async destroyKek(version) {
      await token.destroy('kek', version);
      await refresh();
    },
    async addImportKey(key) {
      if (key === undefined) await token.addImportKey(null);
      else {
        const parts = key.use(scalarAndPoint);
        await token.addImportKey(parts);
        parts.scalar.fill(0);
      }
      await refresh();
    },
    async setRecoveryKey(wanted) {
      await encodeRecoveryKey(wanted).use((bytes) => token.addRecoveryKey(bytes));
      await refresh();
    },
    async dispose() {
      for (const { kind, version } of objects) await token.destroy(kind, version);
      importKey = undefined;
      await refresh();
    },
    close: () => token.close(),
  };

  async function addSecretKey(kind: 'kek' | 'master', version: number, key: Secret | undefined): Promise<void> {
    if (key === undefined) await token.addSecretKey(kind, version, null);
    else await key.use((bytes) => token.addSecretKey(kind, version, bytes));
    await refresh();
    if (!versions(kind).includes(version)) throw keyChanged(new Error(`the token does not show ${kind} ${version}`));
  }
}

function publicKeyAt(point: Uint8Array) {
  const text = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString('base64url');
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: text(1), y: text(33) }, format: 'jwk' });
}

/** Of PKCS#8 DER. */
function scalarAndPoint(der: Uint8Array): { scalar: Uint8Array; point: Uint8Array } {
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  const { d = '' } = key.export({ format: 'jwk' });
  return { scalar: Uint8Array.from(Buffer.from(d, 'base64url')), point: pointOf(createPublicKey(key)) };
}
