import type { AddressInfo, NetConnectOpts } from 'node:net';
import type { Crossings } from './crossings.ts';
import type { Tap } from './http-tap.ts';
import { Messages, wireTap } from './wire-tap.ts';

export interface PgTap extends Tap {
  readonly port: number;
}

const NONE = Buffer.alloc(0);

/**
 * Between a process and PostgreSQL. A step is what other connections come to see: the COMMIT of a transaction that wrote
 * something, or a statement that writes outside of one. It is named after the tables that were written.
 *
 * PostgreSQL's protocol 3.0, section 55.7 of its manual, as the driver `pg` speaks it: without TLS, one exchange at a time.
 */
export async function pgTap(
  crossings: Crossings,
  ends: readonly [string, string],
  target: () => NetConnectOpts,
): Promise<PgTap> {
  const tap = await wireTap({ port: 0, host: '127.0.0.1' }, target, () => session(crossings, ends));
  return { port: (tap.server.address() as AddressInfo).port, close: tap.close };
}

function session(crossings: Crossings, ends: readonly [string, string]) {
  let started = false;
  const typed = (bytes: Buffer) => (bytes.length < 5 ? null : 1 + bytes.readUInt32BE(1));
  const requests = new Messages((bytes) => (started ? typed(bytes) : bytes.length < 4 ? null : bytes.readUInt32BE(0)));
  const answers = new Messages(typed);
  const prepared = new Map<string, string>();
  const transaction = { open: false, wrote: new Set<string>() };
  let sending: Buffer[] = [];
  let statements: string[] = [];
  let step: string | undefined;
  let waiting = false;
  let held: Buffer[] = [];

  function read(message: Buffer): void {
    const [type, fields] = [String.fromCharCode(message[0] ?? 0), message.subarray(5).toString('latin1').split('\0')];
    if (type === 'Q') statements.push(fields[0] ?? '');
    if (type === 'P') prepared.set(fields[0] ?? '', fields[1] ?? '');
    if (type === 'B') statements.push(prepared.get(fields[1] ?? '') ?? '');
  }

  /** The step that these statements are, if they are one. */
  function stepOf(): string | undefined {
    for (const statement of statements) {
      if (/^\s*(begin|start transaction)/i.test(statement)) transaction.wrote.clear();
      for (const table of tablesWritten(statement)) transaction.wrote.add(table);
    }
    const ends_ = statements.some((statement) => /^\s*(commit|end)\b/i.test(statement));
    const wrote = [...transaction.wrote].sort();
    const visible = wrote.length > 0 && (ends_ || !transaction.open);
    if (visible || statements.some((statement) => /^\s*rollback\s*;?\s*$/i.test(statement))) transaction.wrote.clear();
    return visible ? `${ends.join(' > ')}: ${ends_ ? 'commit of ' : ''}${wrote.join(', ')}` : undefined;
  }

  return {
    async fromClient(chunk: Buffer) {
      const passed: Buffer[] = [];
      for (const message of requests.push(chunk)) {
        if (!started) {
          started = true;
          passed.push(message);
          continue;
        }
        sending.push(message);
        read(message);
        const type = String.fromCharCode(message[0] ?? 0);
        if ('PBDEC'.includes(type)) continue; // until Sync
        if (type === 'Q' || type === 'S') {
          step = stepOf();
          statements = [];
          if (step !== undefined && (await crossings.cross({ name: step, ends }, 'before'))) return null;
          waiting = true;
        }
        passed.push(...sending);
        sending = [];
      }
      return passed.length === 0 ? NONE : Buffer.concat(passed);
    },
    async fromServer(chunk: Buffer) {
      const passed: Buffer[] = [];
      for (const message of answers.push(chunk)) {
        held.push(message);
        const type = String.fromCharCode(message[0] ?? 0);
        if (type === 'Z') {
          transaction.open = String.fromCharCode(message[5] ?? 0) !== 'I';
          if (waiting && step !== undefined && (await crossings.cross({ name: step, ends }, 'after'))) return null;
          waiting = false;
        } else if (waiting && !'GHW'.includes(type)) continue; // until it is ready for the next, or asks for more
        passed.push(...held);
        held = [];
      }
      return passed.length === 0 ? NONE : Buffer.concat(passed);
    },
  };
}

const WRITES = /(?<!\bfor\s)(?<!\bdo\s)\b(?:insert\s+into|update|delete\s+from)\s+([\w."]+)/gi;

function tablesWritten(statement: string): string[] {
  return [...statement.matchAll(WRITES)].map(([, name = '']) => name.replaceAll('"', '').replace(/^public\./, ''));
}
