import inspector from 'node:inspector';
import { DomainError } from '@cardwright/protocol';

/**
 * A debugger reads every key from the memory of the process. So none may be there at the start, and the signal with which
 * Node opens one later (SIGUSR1) is taken away from it: a listener of our own replaces Node's.
 * @throws DomainError `vault-inspector-refused` (forbidden).
 */
export function refuseInspector(): void {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  if (inspector.url() !== undefined || given.some((option) => /^--(inspect|debug)/.test(option))) {
    throw new DomainError(
      'forbidden',
      'vault-inspector-refused',
      'the vault does not run with a debugger: no --inspect',
    );
  }
  process.on('SIGUSR1', () => {});
}
