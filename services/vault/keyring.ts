import { DomainError } from '@cardwright/protocol';
import type { KeyProvider, ManagedProvider } from './provider.ts';

/** All open providers as one: a KEK or a master secret is wherever its version is. */
export interface Keyring extends KeyProvider {
  /** The first one is the configured one. */
  readonly providers: readonly ManagedProvider[];
  /** Learns which KEK is active now, and what the providers hold. */
  refresh(): Promise<void>;
  /** @returns undefined when no open provider holds it. */
  holderOf(kekVersion: number): ManagedProvider | undefined;
}

/**
 * @param providers become the keyring's.
 * @param activeKek the version that the database calls active: what is sealed under another one is refused there.
 * @throws DomainError (unprocessable) `vault-kek-missing`: no open provider holds the active KEK.
 */
export async function openKeyring(
  providers: readonly [ManagedProvider, ...ManagedProvider[]],
  activeKek: () => Promise<number>,
): Promise<Keyring> {
  const holderOf = (version: number) => providers.find(({ kekVersions }) => kekVersions.includes(version));

  async function findActive(): Promise<{ provider: ManagedProvider; kekVersion: number }> {
    const kekVersion = await activeKek();
    let provider = holderOf(kekVersion);
    if (provider === undefined) {
      for (const each of providers) await each.refresh();
      provider = holderOf(kekVersion);
    }
    if (provider === undefined) throw missingKek(kekVersion, providers);
    return { provider, kekVersion };
  }

  let active = await findActive();
  const refresh = async () => {
    for (const each of providers) await each.refresh();
    active = await findActive();
  };

  return {
    providers,
    holders: providers.map(({ name }) => name),
    get name() {
      return active.provider.name;
    },
    get kekVersion() {
      return active.kekVersion;
    },
    get masterVersion() {
      return active.provider.masterVersion;
    },
    get importPublicKey() {
      return active.provider.importPublicKey;
    },
    holderOf,
    refresh,

    async wrap(dataKey, associatedData) {
      const { provider, kekVersion } = active;
      return { kekVersion, wrapped: await provider.wrapWith(kekVersion, dataKey, associatedData) };
    },

    async unwrap(wrapped, associatedData) {
      if (holderOf(wrapped.kekVersion) === undefined) await refresh();
      const holder = holderOf(wrapped.kekVersion);
      if (holder === undefined) {
        throw new DomainError(
          'internal',
          'vault-blob-invalid',
          `The vault has no KEK of version ${wrapped.kekVersion}`,
        );
      }
      return holder.unwrap(wrapped, associatedData);
    },

    async derive(masterVersion, fixedData, length) {
      const has = ({ masterVersions }: ManagedProvider) => masterVersions.includes(masterVersion);
      if (!providers.some(has)) await refresh();
      // Without a holder the active provider says that it has no such version.
      const holder = has(active.provider) ? active.provider : (providers.find(has) ?? active.provider);
      return holder.derive(masterVersion, fixedData, length);
    },

    async openImport(jwe) {
      const others = providers.filter((each) => each !== active.provider);
      try {
        return await active.provider.openImport(jwe);
      } catch (error) {
        // During a move a key may still be sealed to the import key of the provider before.
        for (const other of isOtherVault(error) ? others : []) {
          try {
            return await other.openImport(jwe);
          } catch (alsoRefused) {
            if (!isOtherVault(alsoRefused)) throw alsoRefused;
          }
        }
        throw error;
      }
    },

    async close() {
      for (const each of providers) await each.close();
    },
  };
}

function isOtherVault(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'administrator-key-sealed-for-another-vault';
}

function missingKek(version: number, providers: readonly ManagedProvider[]): DomainError {
  const open = providers.map(({ name, kekVersions }) => `${name} (KEK ${kekVersions.join(', ') || 'none'})`);
  return new DomainError(
    'unprocessable',
    'vault-kek-missing',
    `The database says that KEK ${version} is the active one, and no open provider holds it: ${open.join('; ')}. ` +
      'Restore the provider from its backup or recover it from its shares; or, if its keys were moved to another ' +
      'provider, set VAULT_PROVIDER to that one.',
  );
}
