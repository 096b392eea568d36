import { type Static, Type } from 'typebox';
import { base64, closed, nullable, oneOf, time } from '../platform/schema.http.ts';
import type { SubmittedEvidence } from './ports.ts';

const statement = base64(1024, { description: 'TPMS_ATTEST' });
const signature = base64(256, { description: 'TPMT_SIGNATURE, ECDSA P-256 with SHA-256' });
export const SignedStatement = closed({ statement, signature });

const evidenceExample = {
  nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  key: { public: 'AHoAIwAL', creationData: 'AAAA', statement: '/1RDR4Aa', signature: 'ABgACwAg' },
  index: { statement: '/1RDR4AU', signature: 'ABgACwAg' },
};

/** As a device sends it with a certificate request. */
export const EvidenceSchema = closed(
  {
    nonce: base64(32, { description: 'As it was given out, 32 bytes.' }),
    key: closed({
      public: base64(1024, { description: 'TPM2B_PUBLIC' }),
      creationData: base64(1024, { description: 'TPMS_CREATION_DATA' }),
      statement,
      signature,
    }),
    index: SignedStatement,
  },
  { $id: 'KeyEvidence', examples: [evidenceExample] },
);

export const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
export const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export function evidenceOf(body: Static<typeof EvidenceSchema>): SubmittedEvidence {
  const { nonce, key, index } = body;
  return {
    nonce: toBytes(nonce),
    key: {
      public: toBytes(key.public),
      creationData: toBytes(key.creationData),
      statement: toBytes(key.statement),
      signature: toBytes(key.signature),
    },
    index: { statement: toBytes(index.statement), signature: toBytes(index.signature) },
  };
}

export const StoredEvidenceSchema = Type.Object(
  {
    id: Type.String(),
    state: oneOf(['attested', 'refused']),
    code: nullable(Type.String()),
    judgedAt: time(),
    attestationKey: nullable(Type.String({ contentEncoding: 'base64', description: 'TPM2B_PUBLIC: who had to sign.' })),
    evidence: Type.Object({
      nonce: Type.String(),
      key: Type.Object({
        public: Type.String(),
        creationData: Type.String(),
        statement: Type.String(),
        signature: Type.String(),
      }),
      index: Type.Object({ statement: Type.String(), signature: Type.String() }),
    }),
  },
  {
    $id: 'StoredEvidence',
    description: 'What the TPM stated, byte for byte in base64, and how it was judged.',
    examples: [
      {
        id: '0199f2a0-6666-7000-8000-000000000006',
        state: 'attested',
        code: null,
        judgedAt: '2026-11-20T09:00:00.000Z',
        attestationKey: 'AFgAIwAL',
        evidence: evidenceExample,
      },
    ],
  },
);
