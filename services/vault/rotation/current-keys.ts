import type { LinkHandler } from '@cardwright/link';
import { DomainError, isDomainError } from '@cardwright/protocol';

/** Of an operation that met a key-encryption key which was replaced while it ran. Nothing of it was committed. */
export const KEY_CHANGED = 'vault-key-encryption-key-changed';

export function keyChanged(cause?: unknown): DomainError {
  return new DomainError(
    'unavailable',
    KEY_CHANGED,
    'The key-encryption key was replaced while this was under way; ask again.',
    { cause },
  );
}

/**
 * Keys rotate while the vault serves: an operation that sealed with the KEK before, or read a row before it was re-wrapped,
 * is done once more from its start, with the keys of now. The caller does not notice.
 */
export function withCurrentKeys(
  handlers: Readonly<Record<string, LinkHandler>>,
  refresh: () => Promise<void>,
): Record<string, LinkHandler> {
  const again =
    (handler: LinkHandler): LinkHandler =>
    async (params) => {
      try {
        return await handler(params);
      } catch (error) {
        if (!isDomainError(error) || error.code !== KEY_CHANGED) throw error;
        await refresh();
        return await handler(params);
      }
    };
  return Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, again(handler)]));
}
