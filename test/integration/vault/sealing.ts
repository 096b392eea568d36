import type { ImportPublicKey } from '@cardwright/vault';
import { CompactEncrypt, importJWK } from 'jose';

/** Seals a key as the console and the command line do. */
export async function sealed(
  to: ImportPublicKey,
  text: string,
  cardSerial: string | undefined,
  header: Record<string, unknown> = {},
): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      kid: to.kid,
      ...(cardSerial === undefined ? {} : { cardSerial }),
      ...header,
    })
    .encrypt(await importJWK({ ...to }, 'ECDH-ES+A256KW'));
}
