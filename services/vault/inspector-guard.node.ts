import inspector from 'node:inspector';
import { DomainError } from '@cardwright/protocol';

/** Node's options (with - or _ between words) that show the memory of the process: a debugger, or a file of what is in it. */
const SHOWS_MEMORY = /^--(inspect|debug|heapsnapshot|heap[-_]prof|cpu[-_]prof|report|abort[-_]on|trace[-_]sigint)/;

/**
 * A debugger reads every key from the memory of the process. So none may be there at the start, and the signal with which
 * Node opens one later (SIGUSR1) is taken away from it: a listener of our own replaces Node's.
 * @throws DomainError `vault-inspector-refused` (forbidden).
 */
export function refuseInspector(): void {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/[\s"']+/)];
  if (inspector.url() !== undefined || given.some((option) => SHOWS_MEMORY.test(option))) {
    throw new DomainError(
      'forbidden',
      'vault-inspector-refused',
      'The vault runs without debuggers and without options that write its memory to a file: no --inspect, no --heapsnapshot-…',
    );
  }
  process.on('SIGUSR1', () => {});
}
