import type { AuthorityAnswer, PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Answer, AnswerState, AttemptRecords } from './ports.ts';

const DAY_MILLIS = 86_400_000;

/** The records behind every connector: what was asked, how it ended, what came. Plain SQL where races are decided. */
export function createAttemptRecords(prisma: PrismaClient): AttemptRecords {
  return {
    async lockRequest(tx, authority, requestId) {
      await clientOf(tx)
        .$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${authority} ${requestId}`}, 12))`;
    },

    async history(tx, authority, requestId, now) {
      const since = new Date(now.getTime() - DAY_MILLIS);
      const client = clientOf(tx);
      const attempts = await client.issuanceAttempt.findMany({
        where: { authority, requestId, startedAt: { gte: since } },
        include: { end: true },
        orderBy: { startedAt: 'desc' },
        take: 200,
      });
      const unwanted = await client.authorityAnswer.count({
        where: { authority, requestId, state: { in: ['unwanted', 'revoked'] }, receivedAt: { gte: since } },
      });
      const endless = attempts.filter(({ end }) => end === null);
      // No certificate of the CA in it: nothing is stored of it but its code, and the CA may have made one all the same.
      const unusable = attempts.filter(({ end }) => end?.code.startsWith('ca-answer-') === true);
      const unheard = attempts.filter(({ end }) => end?.code === 'ca-unavailable');
      return {
        open: endless.some(({ givesUpAt }) => givesUpAt > now),
        unknown: unheard.length + endless.filter(({ givesUpAt }) => givesUpAt <= now).length,
        lastStartedAt: attempts[0]?.startedAt ?? null,
        wrong: unwanted + unusable.length,
      };
    },

    async begin(tx, attempt) {
      await clientOf(tx).issuanceAttempt.create({ data: attempt });
    },

    async end(attemptId, code, endedAt) {
      await prisma.issuanceAttemptEnd.createMany({ data: [{ attemptId, code, endedAt }], skipDuplicates: true });
    },

    async receive({ id: attemptId, authority, requestId }, certificates, receivedAt) {
      await prisma.authorityAnswer.createMany({
        data: certificates.map(({ id, serialNumber, certificate }) => ({
          ...{ id, attemptId, authority, requestId, serialNumber, receivedAt },
          certificate: Uint8Array.from(certificate),
          state: 'received',
        })),
        skipDuplicates: true,
      });
      const rows = await prisma.authorityAnswer.findMany({
        where: { authority, requestId, serialNumber: { in: certificates.map(({ serialNumber }) => serialNumber) } },
      });
      return rows.map(toAnswer);
    },

    async ofRequest(tx, authority, requestId) {
      const where = { authority, requestId };
      const rows = await clientOf(tx).authorityAnswer.findMany({ where, orderBy: { receivedAt: 'asc' }, take: 200 });
      return rows.map(toAnswer);
    },

    async chosen(authority, requestId) {
      const row = await prisma.authorityAnswer.findFirst({ where: { authority, requestId, state: 'chosen' } });
      return row === null ? null : toAnswer(row);
    },

    async bySerial(authority, serialNumber) {
      const row = await prisma.authorityAnswer.findUnique({
        where: { serialNumber_authority: { serialNumber, authority } },
      });
      return row === null ? null : toAnswer(row);
    },

    async judge(tx, id, state, code, judgedAt) {
      await clientOf(tx).authorityAnswer.update({ where: { id }, data: { state, code, judgedAt } });
    },

    async requestedFor(tx, requestId) {
      const found = await clientOf(tx).certificate.findUnique({
        where: { requestId },
        select: { id: true, cardId: true, deviceId: true, personId: true, enrolmentId: true },
      });
      if (found === null) return null;
      const { id, ...about } = found;
      return { certificateId: id, ...about };
    },

    async unwanted(authority, now, limit) {
      const rows = await prisma.authorityAnswer.findMany({
        where: { authority, state: 'unwanted', receivedAt: { lte: now } },
        orderBy: { receivedAt: 'asc' },
        take: limit,
      });
      return rows.map(toAnswer);
    },

    async revoked(tx, id, revokedAt, revokedById) {
      const answers = clientOf(tx).authorityAnswer;
      const unwanted = { where: { id, state: 'unwanted' }, data: { state: 'revoked', revokedAt, revokedById } };
      if ((await answers.updateMany(unwanted)).count === 1) return true;
      if (revokedById === null) return false;
      const chosen = { where: { id, state: 'chosen', revokedAt: null }, data: { revokedAt, revokedById } };
      return (await answers.updateMany(chosen)).count === 1;
    },
  };
}

const toAnswer = ({ state, revokedAt, revokedById, ...row }: AuthorityAnswer): Answer => ({
  ...row,
  state: state as AnswerState,
  revokedByHandAt: revokedById === null ? null : revokedAt,
});
