import { isDomainError } from '@cardwright/protocol';
import type { HardwareFacts } from '../card/port.ts';
import { openCard } from '../commands/choose-card.ts';
import type { CardReport } from '../server/port.ts';
import { administratorKeyVersion, initialPinOf } from '../store/card-record.ts';
import type { StoredCard } from '../store/document.ts';
import { readStore, type TaskWork } from '../tasks/task.ts';

export interface Readings {
  readonly reports: readonly CardReport[];
  /** Null where it could not be asked, or nothing needed it. */
  readonly tpm: HardwareFacts | null;
  /** Code of what kept the TPM from being asked, or null. */
  readonly problem: string | null;
}

/** The tries left of each card in use, by the hardware itself. One that is gone or altered does not hide the others. */
export async function readCards(work: TaskWork, cards: readonly StoredCard[]): Promise<Readings> {
  const inUse = cards.filter(({ state }) => state === 'active');
  const reports: CardReport[] = [];
  let tpm: HardwareFacts | null = null;
  if (inUse.length === 0) return { reports, tpm, problem: null };
  try {
    await work.context.useCards(work.tpm, async (maker) => {
      const store = readStore(work);
      tpm = await maker.describe();
      for (const card of inUse) {
        const open = await openCard(store, maker, card);
        try {
          const { left } = await open.tries();
          const { cardId } = card;
          const keyVersion = administratorKeyVersion(card);
          reports.push({
            ...{ cardId, triesLeft: left, blocked: left === 0, administratorKeyVersion: keyVersion },
            ...initialPinOf(card),
          });
        } catch (error) {
          if (!isDomainError(error) || !error.code.startsWith('card-')) throw error;
          work.log('card-problem', { card: card.serial, code: error.code });
        }
      }
    });
  } catch (error) {
    if (!isDomainError(error)) throw error;
    work.log('tpm-problem', { code: error.code });
    return { reports, tpm, problem: error.code };
  }
  return { reports, tpm, problem: null };
}
