import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { type CardImport, isRight, type LineReport, type PlannedCard, refusedLine } from './import.ts';
import type { ImportLine } from './line.ts';
import { type PlanPorts, planLines } from './plan-lines.ts';
import type { BatchKeys, BatchVerdict, CardImports } from './ports.ts';

export interface ImportPorts extends PlanPorts {
  readonly imports: CardImports;
  readonly batchKeys: BatchKeys;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}

export interface ImportInput {
  readonly id: string;
  readonly acceptDuplicates: boolean;
  readonly lines: readonly ImportLine[];
}

export interface ImportService {
  /** Judges every line, by cms and by the vault, and changes nothing. */
  check(intent: Intent, input: ImportInput): Promise<readonly LineReport[]>;
  /**
   * Stores what is to be done, or that it is refused; {@link settle} does it. An import of that id that was not refused is
   * the same one, asked for again.
   */
  propose(intent: Intent, input: ImportInput): Promise<void>;
  /** Has the vault take the keys, all or none, then makes all the cards. Safe to repeat, and for several at once. */
  settle(intent: Intent, id: string): Promise<void>;
  /** For the worker: goes on with what was cut off. */
  resume(intent: Intent, id: string): Promise<void>;
}

/**
 * Two-phase: the whole plan is stored before the vault is asked, and the vault takes the batch in one statement; the cards
 * come in one transaction. Cut off anywhere, the worker goes on from the plan.
 */
export function createImportService(ports: ImportPorts): ImportService {
  const { imports, batchKeys, unitOfWork, audit, runtime } = ports;

  async function verdict(
    plan: readonly PlannedCard[],
    batch: Omit<Parameters<BatchKeys['take']>[0], 'cards'>,
    by: Intent,
  ) {
    // A card whose key nobody has gives the vault nothing to take.
    const cards = plan.filter(({ jwe, origin }) => jwe !== null || origin !== null);
    const answer: BatchVerdict =
      cards.length === 0 ? { stored: !batch.dryRun, lines: [] } : await batchKeys.take({ ...batch, cards }, by);
    const judged = new Map(cards.map(({ line }, at) => [line, answer.lines[at]]));
    const report = plan.map(({ line, card }): LineReport => {
      const { code = null, detail = null, duplicate = false } = judged.get(line) ?? {};
      return { line, serial: card.serial, cardId: code === null ? card.id : null, code, detail, duplicate };
    });
    return { stored: answer.stored, report };
  }

  const describe = (found: CardImport, report: readonly LineReport[]) => ({
    lines: found.lineCount,
    acceptDuplicates: found.acceptDuplicates,
    refusedLines: report.filter((line) => line.code !== null).length,
  });

  async function finish(intent: Intent, found: CardImport, state: 'done' | 'refused', report: readonly LineReport[]) {
    await unitOfWork.run(async (tx) => {
      const now = await imports.lock(tx, found.id);
      if (now?.state !== 'proposed' || now.batchId !== found.batchId) return;
      const plan = state === 'done' ? (now.plan ?? []) : [];
      const clashes = await imports.insertCards(tx, plan, runtime.now());
      if (clashes.length > 0) throw new Clash(clashes);
      await imports.finish(tx, found.id, state, report, runtime.now());
      for (const { card, takeOver = false } of plan) {
        const { id, personId, deviceId, serial, algorithm, keyStrategy } = card;
        await audit.record(tx, intent, {
          action: 'card.registered',
          object: { kind: 'card', id },
          about: { cardId: id, personId, deviceId },
          after: {
            ...{ serial, algorithm, keyStrategy, cardImportId: found.id },
            ...(takeOver ? { state: 'created', takeOver } : { state: 'active' }),
          },
        });
      }
      await audit.record(tx, intent, {
        action: state === 'done' ? 'card-import.done' : 'card-import.refused',
        object: { kind: 'card-import', id: found.id },
        after: describe(found, report),
      });
    });
  }

  /** Every request that asks the vault for something says so before it does. */
  async function noteResumed(tx: Tx, intent: Intent, id: string): Promise<void> {
    if ((await imports.lock(tx, id))?.state !== 'proposed') return;
    await audit.record(tx, intent, { action: 'card-import.resumed', object: { kind: 'card-import', id } });
  }

  const service: ImportService = {
    async check(intent, { id, acceptDuplicates, lines }) {
      const { plan, refused } = await planLines(ports, lines);
      const { report } = await verdict(plan, { batchId: id, dryRun: true, acceptDuplicates }, intent);
      return inOrder([...refused, ...report]);
    },

    async propose(intent, { id, acceptDuplicates, lines }) {
      const { plan, refused } = await planLines(ports, lines);
      const right = refused.length === 0;
      const now = runtime.now();
      const proposed: CardImport = {
        id,
        batchId: runtime.newId(),
        state: right ? 'proposed' : 'refused',
        acceptDuplicates,
        lineCount: lines.length,
        plan: right ? plan : null,
        report: right
          ? null
          : inOrder([
              ...refused,
              ...plan.map(({ line, card }) => ({
                ...refusedLine(line, card.serial, '', ''),
                code: null,
                detail: null,
              })),
            ]),
        createdBy: { id: intent.actor.id, name: intent.actor.name },
        createdAt: now,
        finishedAt: right ? null : now,
      };
      await unitOfWork.run(async (tx) => {
        if (!(await imports.propose(tx, proposed))) return noteResumed(tx, intent, id);
        await audit.record(tx, intent, {
          action: right ? 'card-import.proposed' : 'card-import.refused',
          object: { kind: 'card-import', id },
          after: describe(proposed, proposed.report ?? []),
        });
      });
    },

    async settle(intent, id) {
      const found = await imports.find(id);
      if (found?.state !== 'proposed' || found.plan === null) return;
      const { batchId, acceptDuplicates } = found;
      const { stored, report } = await verdict(found.plan, { batchId, dryRun: false, acceptDuplicates }, intent);
      const done = stored && (report.every(({ code }) => code === null) || isRight(report, true));
      try {
        await finish(intent, found, done ? 'done' : 'refused', report);
      } catch (error) {
        if (!(error instanceof Clash)) throw error;
        // Nothing of the batch is there: the vault keeps keys of cards that never were, and says so if they come again.
        const taken = 'Another card took this serial, or this place on the device, while the import was under way.';
        const clash = (line: LineReport) =>
          error.lines.includes(line.line) ? refusedLine(line.line, line.serial, 'card-serial-taken', taken) : line;
        await finish(intent, found, 'refused', report.map(clash));
      }
    },

    async resume(intent, id) {
      await unitOfWork.run((tx) => noteResumed(tx, intent, id));
      await service.settle(intent, id);
    },
  };
  return service;
}

/** Rolls the transaction back: the lines whose cards can't be. */
class Clash extends Error {
  readonly lines: readonly number[];
  constructor(lines: readonly number[]) {
    super('cards of an import are taken');
    this.lines = lines;
  }
}

const inOrder = (report: readonly LineReport[]) => report.toSorted((a, b) => a.line - b.line);
