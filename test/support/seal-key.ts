import { CompactEncrypt, importJWK } from 'jose';
import type { TestSystem } from './system.ts';

/** Seals an administrator key (hex text) to the vault, as a browser or an importer does: cms never sees it. */
export async function sealKey(system: TestSystem, cardSerial: string, hex: string, typ?: string): Promise<string> {
  const { jwk } = (await system.as('security-officer').get('/vault/import-key')).body;
  return await new CompactEncrypt(new TextEncoder().encode(hex))
    .setProtectedHeader({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      kid: jwk.kid,
      cardSerial,
      ...(typ === undefined ? {} : { typ }),
    })
    .encrypt(await importJWK(jwk, 'ECDH-ES+A256KW'));
}
