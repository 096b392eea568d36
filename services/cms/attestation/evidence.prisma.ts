import type { PrismaClient, AttestationEvidence as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { EvidenceRecords, Policies, StoredEvidence } from './ports.ts';
import { ATTESTATION_POLICIES } from './ports.ts';

const own = (bytes: Uint8Array) => Uint8Array.from(bytes);
/** Judgements of one certificate that are shown: a card is attested anew a few times in its life. */
const MAX_SHOWN = 20;

export function createEvidenceRecords(prisma: PrismaClient): EvidenceRecords & Policies {
  return {
    async putNonce(tx, { nonce, deviceId, expiresAt }) {
      const client = clientOf(tx);
      // What is over went ten minutes before the new one will.
      const over = new Date(expiresAt.getTime() - 600_000);
      await client.evidenceNonce.deleteMany({ where: { deviceId, expiresAt: { lte: over } } });
      await client.evidenceNonce.create({ data: { nonce: own(nonce), deviceId, expiresAt } });
    },

    async isOpen(nonce, deviceId, now) {
      const row = await prisma.evidenceNonce.findUnique({ where: { nonce: own(nonce) } });
      return row !== null && row.deviceId === deviceId && row.expiresAt > now;
    },

    card: (cardId) => prisma.card.findUnique({ where: { id: cardId }, select: { pinLimit: true, indexName: true } }),

    async putKeyName(tx, cardId, keyVersion, name) {
      const data = { cardId, keyVersion, name: Buffer.from(name).toString('hex') };
      await clientOf(tx).administratorKeyName.createMany({ data: [data], skipDuplicates: true });
    },

    async keyName(tx, cardId, keyVersion) {
      const where = { cardId_keyVersion: { cardId, keyVersion } };
      const row = await clientOf(tx).administratorKeyName.findUnique({ where });
      return row === null ? null : Buffer.from(row.name, 'hex');
    },

    async setIndexName(tx, cardId, name) {
      const indexName = Buffer.from(name).toString('hex');
      await clientOf(tx).card.update({ where: { id: cardId }, data: { indexName } });
    },

    async put(tx, { id, certificateId, deviceId, verdict, judgedAt, evidence, attestationKey }) {
      const client = clientOf(tx);
      const code = verdict.state === 'refused' ? verdict.code : null;
      await client.attestationEvidence.create({
        data: {
          ...{ id, certificateId, deviceId, verdict: verdict.state, code, judgedAt },
          nonce: own(evidence.nonce),
          attestationKey: attestationKey === null ? null : own(attestationKey),
          keyPublic: own(evidence.key.public),
          creationData: own(evidence.key.creationData),
          keyStatement: own(evidence.key.statement),
          keySignature: own(evidence.key.signature),
          indexStatement: own(evidence.index.statement),
          indexSignature: own(evidence.index.signature),
        },
      });
      const data = { attestation: verdict.state, attestationCode: code, attestedAt: judgedAt };
      await client.certificate.update({ where: { id: certificateId }, data });
    },

    async of(certificateId) {
      const orderBy = { id: 'desc' } as const;
      const certificate = await prisma.certificate.findUnique({
        where: { id: certificateId },
        select: { evidence: { orderBy, take: MAX_SHOWN } },
      });
      return certificate === null ? null : certificate.evidence.map(toEvidence);
    },

    activeOf: (tx, cardId) =>
      clientOf(tx).certificate.findMany({
        where: { cardId, status: 'active' },
        orderBy: { id: 'desc' },
        distinct: ['container'],
        select: { id: true, container: true, csr: true },
      }),

    async set(tx, name, attestation) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM card_profiles WHERE name = ${name} FOR UPDATE`;
      const profile = await client.cardProfile.findUnique({ where: { name } });
      if (profile === null || profile.kind !== 'tpm') return null;
      await client.cardProfile.update({ where: { name }, data: { attestation } });
      return ATTESTATION_POLICIES.find((one) => one === profile.attestation) ?? null;
    },
  };
}

function toEvidence(row: Row): StoredEvidence {
  const { id, certificateId, deviceId, judgedAt, attestationKey, nonce, code } = row;
  const verdict =
    row.verdict === 'refused'
      ? { state: 'refused' as const, code: code ?? '', detail: '' }
      : { state: 'attested' as const };
  const { keyPublic, creationData, keyStatement, keySignature, indexStatement, indexSignature } = row;
  const key = { public: keyPublic, creationData, statement: keyStatement, signature: keySignature };
  const index = { statement: indexStatement, signature: indexSignature };
  return { id, certificateId, deviceId, verdict, judgedAt, attestationKey, evidence: { nonce, key, index } };
}
