import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';

export type PrismaTx = Prisma.TransactionClient;

/** The open transactions of this process. An entry lives as long as its transaction: a late use is an error, not a write outside it. */
const open = new WeakMap<Tx, PrismaTx>();

export function createUnitOfWork(prisma: PrismaClient): UnitOfWork {
  return {
    run: (work) =>
      prisma.$transaction(
        async (client) => {
          const tx = {} as Tx;
          open.set(tx, client);
          try {
            return await work(tx);
          } finally {
            open.delete(tx);
          }
        },
        { maxWait: 5_000, timeout: 10_000 },
      ),
  };
}

/** For adapters only: the client behind an open transaction. */
export function clientOf(tx: Tx): PrismaTx {
  const client = open.get(tx);
  if (client === undefined)
    throw new Error('a transaction was used after it ended, or was not made by the unit of work');
  return client;
}
