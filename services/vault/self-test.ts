import { DomainError, Secret } from '@cardwright/protocol';
import { hmacSha256 } from '@cardwright/protocol/tpm';
import { encryptChallenge, keyCheckValue } from './challenge-response.ts';
import { aesCmac } from './cmac.ts';
import { counterModeKdf } from './derivation.ts';
import { fleetKey } from './fleet-derivation.ts';
import { type KeyFacts, NO_LINEAGE } from './key-record.ts';
import type { KeyProvider } from './provider.ts';
import { type Random, seal, unseal } from './sealing.ts';
import { vectors } from './vectors.ts';

/**
 * Run before the vault serves: a wrong answer can brick a card, so a broken cipher must be found before the first one.
 * It also seals and opens with the provider's own keys, and checks that a changed fact does not open.
 * @throws DomainError `vault-self-test-failed` (internal), naming the vector.
 */
export async function selfTest(provider: KeyProvider, random: Random): Promise<void> {
  for (const { source, key, challenge, answer, algorithm, kcv } of vectors.challengeResponse) {
    expectEqual(source, encryptChallenge(hex(key), algorithm, hex(challenge), 'ecb'), answer);
    expectEqual(source, encryptChallenge(hex(key), algorithm, hex(challenge), 'cbc'), answer);
    if (kcv !== undefined && keyCheckValue(hex(key), algorithm) !== kcv) throw failed(`${source}, key check value`);
  }
  for (const { source, key, message, mac } of vectors.cmac) expectEqual(source, aesCmac(hex(key), hex(message)), mac);
  for (const { source, algorithm, master, diversifier, key } of vectors.an10922) {
    expectEqual(source, fleetKey(hex(master), 'an10922', algorithm, hex(diversifier)), key);
  }
  const { derivation, hmac } = vectors;
  expectEqual(
    derivation.source,
    counterModeKdf(hex(derivation.key), hex(derivation.fixedData), derivation.derived.length / 2),
    derivation.derived,
  );
  expectEqual(hmac.source, hmacSha256(hex(hmac.key), hex(hmac.data)), hmac.mac);
  await roundTrip(provider, random);
}

async function roundTrip(provider: KeyProvider, random: Random): Promise<void> {
  const what = 'sealing with the keys of the vault';
  const facts: KeyFacts = {
    cardId: '00000000-0000-0000-0000-000000000000',
    keyVersion: 1,
    algorithm: 'aes-256',
    strategy: 'random-stored',
    masterVersion: null,
    kcv: null,
    tpmName: null,
    pinLimit: null,
    ...NO_LINEAGE,
  };
  const bytes = random(32);
  const key = Secret.take(Uint8Array.from(bytes));
  const blob = await seal(provider, random, facts, key);
  const opened = await unseal(provider, facts, blob);
  opened.use((back) => expectEqual(what, back, Buffer.from(bytes).toString('hex')));
  key.wipe();
  opened.wipe();
  const moved = await unseal(provider, { ...facts, keyVersion: 2 }, blob).catch(() => undefined);
  if (moved !== undefined) throw failed(`${what}: a blob opened for another version`);
}

function expectEqual(source: string, got: Uint8Array, expected: string): void {
  if (Buffer.from(got).toString('hex') !== expected.toLowerCase()) throw failed(source);
}

function failed(source: string): DomainError {
  return new DomainError('internal', 'vault-self-test-failed', `The cryptography of this host is wrong: ${source}`);
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
