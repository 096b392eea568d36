import { stopProcess } from '../processes/child.ts';
import { isRunning, type ProcessIdentity } from '../processes/identity.ts';
import { readPrivateFile, writePrivateFile } from '../processes/private-file.ts';

/** The services that a launcher has started, on disk, in the order of their start. */
export class ProcessRecord {
  readonly #file: string;
  readonly #running = new Map<string, ProcessIdentity>();

  constructor(file: string) {
    this.#file = file;
  }

  add(name: string, identity: ProcessIdentity): void {
    this.#running.set(name, identity);
    this.#write();
  }

  remove(name: string): void {
    this.#running.delete(name);
    this.#write();
  }

  #write(): void {
    writePrivateFile(this.#file, JSON.stringify(Object.fromEntries(this.#running)));
  }
}

/**
 * Ends the services that a launcher killed with -9 left running: they hold the sockets and the port, and may be of an
 * older build. Gives the names of those that were ended. PostgreSQL and the software TPM are adopted instead.
 */
export async function stopLeftOvers(file: string): Promise<string[]> {
  const text = readPrivateFile(file);
  if (text === null) return [];
  const leftOver = Object.entries(JSON.parse(text) as Record<string, ProcessIdentity>)
    .filter(([, identity]) => isRunning(identity))
    .reverse();
  for (const [, identity] of leftOver) await stopProcess(identity);
  return leftOver.map(([name]) => name);
}
