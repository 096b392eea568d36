import type { StoreDocument, StoredCard } from './document.ts';

const base64 = (length: number) => Buffer.alloc(length, 7).toString('base64');

/** A stored card for tests: of the right form, and useless. */
export function exampleCard(serial: string): StoredCard {
  return {
    cardId: `id-of-${serial}`,
    serial,
    server: 'https://cards.example.org',
    enrolmentId: 'enrolment-1',
    codeDigest: 'ab'.repeat(32),
    person: { displayName: 'Mary Major', userPrincipalName: 'mary@example.com' },
    slot: 0x01800000,
    pinLimit: 5,
    pinPolicy: {
      minLength: 6,
      maxLength: 32,
      uppercase: 'allowed',
      lowercase: 'allowed',
      digits: 'allowed',
      special: 'allowed',
      refuseSequences: true,
      refuseRepeats: true,
      refuseCommon: true,
    },
    key: { keyVersion: 1, name: `000b${'cd'.repeat(32)}`, blob: base64(200) },
    successions: [],
    selfChange: { approvedPolicy: base64(32), signature: base64(32) },
    keys: [
      {
        container: 'sign-in',
        keyType: 'ec-p256',
        blob: base64(200),
        certificateId: 'certificate-1',
        certificate: base64(500),
        chain: [base64(500), base64(400)],
      },
    ],
    state: 'active',
    enrolledAt: '2026-11-20T09:00:00Z',
    handOver: null,
  };
}

export function exampleDocument(...serials: string[]): StoreDocument {
  return {
    format: 'cardwright-store',
    version: 1,
    storageKeyName: `000b${'ef'.repeat(32)}`,
    servers: [{ url: 'https://cards.example.org', deviceToken: 'A'.repeat(43), deviceId: 'device-1', trustedCa: null }],
    enrolments: [],
    cards: serials.map(exampleCard),
    outcomes: [],
    renewals: [],
    tasks: [],
    lockout: null,
    messages: [],
  };
}
