import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { selfTest } from './self-test.ts';
import { newProvider } from './testing/provider.ts';

it('passes on a sound host', async () => {
  await expect(selfTest(await newProvider(), randomBytes)).resolves.toBeUndefined();
});

it('fails when what was sealed comes back as something else', async () => {
  const provider = await newProvider();
  const broken = { ...provider, unwrap: async () => provider.derive(1, new Uint8Array(1), 32) };
  await expect(selfTest(broken, randomBytes)).rejects.toThrow(expect.objectContaining({ code: 'vault-blob-invalid' }));
});

it('does not rest on the provider alone: one that heeds no associated data still moves no blob', async () => {
  const provider = await newProvider();
  const careless = {
    ...provider,
    wrap: (key: Parameters<typeof provider.wrap>[0]) => provider.wrap(key, new Uint8Array()),
    unwrap: (key: Parameters<typeof provider.unwrap>[0]) => provider.unwrap(key, new Uint8Array()),
  };
  await expect(selfTest(careless, randomBytes)).resolves.toBeUndefined();
});
