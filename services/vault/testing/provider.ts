import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import type { ManagedProvider } from '../provider.ts';
import { fileProvider } from '../providers/file-provider.ts';
import type { KeyBundle } from '../providers/key-bundle.ts';

/** Fresh keys, as a keys file holds them. */
export function newBundle(kekVersions: readonly number[] = [1]): KeyBundle {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    keks: new Map(kekVersions.map((version) => [version, Secret.take(randomBytes(32))])),
    masters: new Map([[1, Secret.take(randomBytes(32))]]),
    importKey: Secret.take(privateKey.export({ format: 'der', type: 'pkcs8' })),
    recoveryKey: null,
  };
}

export function newProvider(kekVersions?: readonly number[]): Promise<ManagedProvider> {
  return fileProvider(newBundle(kekVersions));
}
