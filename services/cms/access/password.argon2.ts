import { hash, type Options, verify } from '@node-rs/argon2';
import type { PasswordHash } from './ports.ts';

/** The package's own constant is a const enum, which isolated modules can't read. */
const ARGON2ID = 2;

/** OWASP's second recommendation for argon2id (RFC 9106): 19 MiB, two passes. The work is done off the event loop. */
const OPTIONS: Options = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export function createPasswordHash(randomBytes: (length: number) => Uint8Array): PasswordHash {
  // Made when first asked for, and once: a hash that no password fits.
  let decoy: Promise<string> | undefined;
  return {
    decoy: () => {
      decoy ??= hash(Buffer.from(randomBytes(32)), OPTIONS);
      return decoy;
    },
    hash: (password) => password.use((bytes) => hash(Buffer.from(bytes), OPTIONS)),
    verify: (passwordHash, password) => password.use((bytes) => verify(passwordHash, Buffer.from(bytes))),
  };
}
