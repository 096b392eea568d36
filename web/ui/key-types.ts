import type { ChangedCardProfile } from '../app/contract.ts';

type KeyType = NonNullable<ChangedCardProfile['containers']>[number]['keyType'];

/** The types of keys of the contract, in the order in which they are offered. */
export const KEY_TYPES = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072'] as const satisfies readonly KeyType[];
