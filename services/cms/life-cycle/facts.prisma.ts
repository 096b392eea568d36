import { CARD_STATES, type CardState } from '../cards/index.ts';
import type { PrismaClient } from '../platform/generated/client.ts';
import { clientOf, type PrismaTx } from '../platform/unit-of-work.prisma.ts';
import type { CardFacts, Facts, Subject } from './act.ts';
import type { LifeCycleFacts } from './ports.ts';

/** Of one person or device. More is no person's and no computer's. */
const MAX_CARDS = 500;
const OPEN_TASKS = ['queued', 'delivered'];
const OPEN_CHANGES = ['requested', 'offered'];

export function createLifeCycleFacts(prisma: PrismaClient): LifeCycleFacts {
  return {
    read: (subject, now) => read(prisma, subject, now),

    async lock(tx, subject, now) {
      const client = clientOf(tx);
      const cards = `SELECT id FROM cards WHERE ${CARD_COLUMN[subject.kind]} = $1::uuid`;
      await client.$queryRawUnsafe(
        `SELECT 1 FROM enrolments WHERE (${ENROLMENT_COLUMN[subject.kind]} = $1::uuid AND state IN ('open', 'claimed'))
           OR (replaces_card_id IN (${cards}) AND state <> 'cancelled') ORDER BY id FOR UPDATE`,
        subject.id,
      );
      await client.$queryRawUnsafe(`${cards} ORDER BY id FOR UPDATE`, subject.id);
      return read(client, subject, now);
    },
  };
}

const CARD_COLUMN = { card: 'id', device: 'device_id', person: 'person_id' } as const;
const ENROLMENT_COLUMN = { card: 'card_id', device: 'device_id', person: 'person_id' } as const;

async function read(client: PrismaTx, { kind, id }: Subject, now: Date): Promise<Facts | null> {
  const there = {
    card: () => client.card.count({ where: { id } }),
    device: () => client.device.count({ where: { id } }),
    person: () => client.person.count({ where: { id } }),
  };
  if ((await there[kind]()) === 0) return null;
  const of = { card: { id }, device: { deviceId: id }, person: { personId: id } }[kind];
  const enrolmentOf = { card: { cardId: id }, device: { deviceId: id }, person: { personId: id } }[kind];
  const rows = await client.card.findMany({
    where: of,
    orderBy: { id: 'asc' },
    take: MAX_CARDS,
    include: {
      certificates: {
        where: { status: { in: ['proposed', 'active', 'on-hold'] }, revocation: null },
        orderBy: { id: 'asc' },
        select: { id: true, serialNumber: true },
      },
      sessions: {
        where: {
          expiresAt: { gt: now },
          OR: [{ state: { in: ['requested', 'open'] } }, { state: 'answered', response: { not: null } }],
        },
        orderBy: { id: 'asc' },
        select: { id: true, state: true },
      },
      tasks: {
        where: { state: { in: OPEN_TASKS } },
        orderBy: { id: 'asc' },
        select: { id: true, kind: true },
      },
      keyChanges: { where: { state: { in: OPEN_CHANGES } }, select: { id: true } },
      reissues: { where: { state: { not: 'cancelled' } }, select: { state: true, expiresAt: true } },
    },
  });
  const enrolments = await client.enrolment.findMany({
    where: { ...enrolmentOf, state: { in: ['open', 'claimed'] } },
    orderBy: { id: 'asc' },
    select: { id: true, personId: true, cardId: true },
  });
  return {
    enrolments,
    cards: rows.map(
      (row): CardFacts => ({
        ...{ id: row.id, serial: row.serial, personId: row.personId, deviceId: row.deviceId },
        profileName: row.profileName,
        kind: row.kind === 'tpm' ? 'tpm' : 'minidriver',
        state: stateOf(row.state),
        reissue: row.reissues.length === 0 ? 'none' : row.reissues[0]?.state === 'completed' ? 'completed' : 'open',
        certificates: row.certificates,
        sessions: row.sessions.map(({ id: sessionId, state }) => ({ id: sessionId, state: sessionState(state) })),
        tasks: row.tasks,
        keyChangeId: row.keyChanges[0]?.id ?? null,
      }),
    ),
  };
}

function stateOf(text: string): CardState {
  const state = CARD_STATES.find((known) => known === text);
  if (state === undefined) throw new Error(`a card is in no state that is known: ${text}`);
  return state;
}

const sessionState = (text: string) => (text === 'requested' || text === 'open' ? text : 'answered');
