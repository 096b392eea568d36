import { Worker } from 'node:worker_threads';
import { DomainError } from '@cardwright/protocol';
import { keyChanged } from '../rotation/current-keys.ts';
import type { Token, TokenAnswer, TokenFailure, TokenRequest } from './token.ts';
import type { TokenPlace } from './token-session.pkcs11.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The token, seen from the vault's own thread.
 * Errors: `vault-token-away` (unavailable) when it is not there or lost; `vault-token-pin-wrong`,
 * `vault-token-pin-locked`, `vault-token-pin-missing`, `vault-token-key-extractable` (unprocessable);
 * `vault-token-failed` (internal).
 */
export function connectToken(place: TokenPlace): Token {
  const { module, tokenLabel, pinFile } = place;
  const worker = new Worker(new URL('./token-thread.pkcs11.js', import.meta.url), {
    workerData: { module, tokenLabel, pinFile } satisfies TokenPlace,
    env: process.env,
  });
  const waiting = new Map<number, Waiting>();
  let ended: Error | undefined;
  let last = 0;

  worker.on('message', (answer: TokenAnswer) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) asked?.reject(tokenRefusal(answer.error, place));
    else asked?.resolve(answer.value);
    if (waiting.size === 0) worker.unref();
  });
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(tokenRefusal({ reason: 'failed', detail: error.message }, place));
    waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread of the token has ended')));
  worker.unref();

  function ask<T>(operation: TokenRequest['operation'], ...given: readonly unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(tokenRefusal({ reason: 'failed', detail: ended.message }, place));
      last += 1;
      waiting.set(last, { resolve: resolve as (value: unknown) => void, reject });
      // Copies, which the thread wipes: what is lent here stays here.
      const parameters = given.map((each) => (each instanceof Uint8Array ? Uint8Array.from(each) : each));
      const bytes = parameters.flatMap((each) => (each instanceof Uint8Array ? [each.buffer as ArrayBuffer] : []));
      worker.ref();
      worker.postMessage({ id: last, operation, parameters } satisfies TokenRequest, bytes);
    });
  }

  return {
    list: () => ask('list'),
    addSecretKey: (kind, version, value) => ask('addSecretKey', kind, version, value),
    addImportKey: (key) => ask('addImportKey', key),
    addRecoveryKey: (value) => ask('addRecoveryKey', value),
    destroy: (kind, version) => ask('destroy', kind, version),
    encrypt: (version, data, associatedData) => ask('encrypt', version, data, associatedData),
    decrypt: (version, sealed, associatedData) => ask('decrypt', version, sealed, associatedData),
    hmac: (version, data) => ask('hmac', version, data),
    agree: (point) => ask('agree', point),
    importPoint: () => ask('importPoint'),
    recoveryKey: () => ask('recoveryKey'),
    random: (count) => ask('random', count),
    async close() {
      await worker.terminate();
    },
  };
}

export function tokenRefusal(
  { reason, detail }: TokenFailure,
  place: Pick<TokenPlace, 'tokenLabel' | 'pinFile'>,
): DomainError {
  const token = `the token ${place.tokenLabel}`;
  switch (reason) {
    case 'away':
      return new DomainError('unavailable', 'vault-token-away', `${token} does not answer (${detail}).`);
    case 'gone':
      return keyChanged(new Error(detail));
    case 'invalid':
      return new DomainError('internal', 'vault-blob-invalid', detail);
    case 'pin-wrong':
      return new DomainError(
        'unprocessable',
        'vault-token-pin-wrong',
        `${token} refuses the PIN in ${place.pinFile} (${detail}); it was tried once, and is not tried again by itself.`,
      );
    case 'pin-locked':
      return new DomainError(
        'unprocessable',
        'vault-token-pin-locked',
        `The PIN of ${token} is locked: its security officer must set a new one.`,
      );
    case 'pin-unreadable':
      return new DomainError('unprocessable', 'vault-token-pin-missing', detail);
    case 'extractable':
      return new DomainError(
        'unprocessable',
        'vault-token-key-extractable',
        `${detail}. Such a key was not made by this vault; it is not used.`,
      );
    case 'failed':
      return new DomainError('internal', 'vault-token-failed', `${token}: ${detail}`);
  }
}
