import type { LinkClient } from '@cardwright/link';
import type { LockoutOperations } from './operations.ts';

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

type Text<K extends string> = Readonly<Record<K, string>>;

export function lockoutClient(link: LinkClient): LockoutOperations {
  return {
    async protectLockout(params) {
      const made = await link.call<Text<'authority' | 'public' | 'duplicate' | 'inSymSeed' | 'name'>>(
        'lockout.protect',
        {
          ...params,
          parentPublic: toText(params.parentPublic),
        },
      );
      return {
        authority: toBytes(made.authority),
        public: toBytes(made.public),
        duplicate: toBytes(made.duplicate),
        inSymSeed: toBytes(made.inSymSeed),
        name: toBytes(made.name),
      };
    },
    async resetLockout(params) {
      const { parentName, nonce, ...rest } = params;
      const bytes = { parentName: toText(parentName), nonce: toText(nonce) };
      return {
        signature: toBytes((await link.call<Text<'signature'>>('lockout.reset', { ...rest, ...bytes })).signature),
      };
    },
  };
}
