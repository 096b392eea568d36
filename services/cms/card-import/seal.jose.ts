import { CompactEncrypt, importJWK, type JWK } from 'jose';

export type Seal = (text: string, cardSerial: string, typ: 'administrator-key' | 'puk') => Promise<string>;

/** Seals to the vault's import key: RFC 7516 compact, ECDH-ES+A256KW with A256GCM. What was sealed only the vault opens. */
export async function createSeal(jwk: JWK): Promise<Seal> {
  const key = await importJWK(jwk, 'ECDH-ES+A256KW');
  return (text, cardSerial, typ) =>
    new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: jwk.kid ?? '', cardSerial, typ })
      .encrypt(key);
}
