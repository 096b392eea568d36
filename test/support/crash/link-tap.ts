import type { Crossings } from './crossings.ts';
import type { Tap } from './http-tap.ts';
import { Messages, wireTap } from './wire-tap.ts';

/** Operations that change nothing and record nothing. */
const SILENT = /^(health|key\.describe|import-key|alerts?\b|named-key\.list)/;

/** Between cms and the vault or the ca, on a socket of its own: services/link, a u32 length and JSON. */
export function linkTap(
  crossings: Crossings,
  ends: readonly [string, string],
  socketPath: string,
  target: string,
): Promise<Tap> {
  const lengthOf = (bytes: Buffer) => (bytes.length < 4 ? null : 4 + bytes.readUInt32BE(0));
  return wireTap(
    { path: socketPath },
    () => ({ path: target }),
    () => {
      const [requests, answers] = [new Messages(lengthOf), new Messages(lengthOf)];
      const operations = new Map<number, string>();
      const crossing = (operation: string) => ({ name: `${ends.join(' > ')}: ${operation}`, ends });
      return {
        async fromClient(chunk) {
          const passed = requests.push(chunk);
          for (const message of passed) {
            const { id, op } = bodyOf(message) as { id: number; op: string };
            if (SILENT.test(op)) continue;
            operations.set(id, op);
            if (await crossings.cross(crossing(op), 'before')) return null;
          }
          return Buffer.concat(passed);
        },
        async fromServer(chunk) {
          const passed = answers.push(chunk);
          for (const message of passed) {
            const { id } = bodyOf(message) as { id: number };
            const operation = operations.get(id);
            operations.delete(id);
            if (operation !== undefined && (await crossings.cross(crossing(operation), 'after'))) return null;
          }
          return Buffer.concat(passed);
        },
      };
    },
  );
}

function bodyOf(message: Buffer): unknown {
  return JSON.parse(message.subarray(4).toString('utf8'));
}
