import type { Context } from '../commands/command.ts';
import { tell } from '../commands/doctor.ts';
import type { KnownServer } from '../store/document.ts';
import { worstOf } from './finding.ts';
import { examine } from './report.ts';

const EVERY_MS = 24 * 60 * 60 * 1000;

interface Where {
  readonly store: string | undefined;
  readonly tpm: string | undefined;
}

/**
 * What a service that runs for long tells each server once a day of the device's readiness for cards, and at its start. What
 * keeps it from being told now is tried again at the next contact. Nobody else of the process may have the TPM open.
 */
export class DailyReports {
  readonly #toldAt = new Map<string, number>();

  /** Gives the level that was told; the code of what went wrong; or undefined where nothing was due. */
  async tellIfDue(
    context: Context,
    where: Where,
    known: KnownServer,
  ): Promise<{ readonly level: string; readonly problem: string | null } | undefined> {
    const now = context.now();
    const before = this.#toldAt.get(known.url);
    // Also where the clock was set back.
    if (before !== undefined && Math.abs(now.getTime() - before) < EVERY_MS) return undefined;
    const examination = await examine(context.probes, where, [known], now);
    const [told] = await tell(context, [known], examination);
    const problem = told?.problem ?? null;
    if (problem === null) this.#toldAt.set(known.url, now.getTime());
    return { level: worstOf(examination.findings), problem };
  }
}
