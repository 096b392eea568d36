import { randomBytes } from 'node:crypto';
import { CompactEncrypt, importJWK, type JWK } from 'jose';
import { callApi } from '../launcher/api-call.ts';
import type { System } from '../launcher/system.ts';

/** Registers a person and a card with a known AES key, sealed to the vault as an importer does. Gives the card's id. */
export async function registerBenchCard({ url, tokens }: System, serial = 'CW-BENCH'): Promise<string> {
  const officer = tokens['security-officer'];
  const person = await callApi<{ id: string }>(url, tokens.helpdesk, 'POST', '/people', {
    displayName: 'Ben Chmark',
    userPrincipalName: `${serial.toLowerCase()}@cardwright.example`,
  });
  const { jwk } = await callApi<{ jwk: JWK }>(url, officer, 'GET', '/vault/import-key');
  const key = new TextEncoder().encode(randomBytes(16).toString('hex'));
  const administratorKey = await new CompactEncrypt(key)
    .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: jwk.kid ?? '', cardSerial: serial })
    .encrypt(await importJWK(jwk, 'ECDH-ES+A256KW'));
  const card = { personId: person.id, serial, algorithm: 'aes-128', administratorKey };
  return (await callApi<{ id: string }>(url, officer, 'POST', '/cards', card)).id;
}
