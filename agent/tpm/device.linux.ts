import { type FileHandle, open } from 'node:fs/promises';
import { DomainError } from '@cardwright/protocol';
import type { Bytes } from '@cardwright/protocol/tpm';
import { MAX_RESPONSE_BYTES, type Transport } from './transport.ts';
import { claimedSize, cutShort, timedOut, tooMany, unreachable } from './transport-errors.ts';

/**
 * The kernel's TPM device. `/dev/tpmrm0` has the kernel's resource manager; `/dev/tpm0` has none and one client at a time.
 * One write is one command; one read, with room for all of it, is one response. Not run on a hardware TPM by our tests.
 */
export async function openDevice(path: string): Promise<Transport> {
  try {
    return new DeviceTransport(path, await open(path, 'r+'));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      const detail = `${path} may not be opened by this user; add the user to the group of that file (usually tss).`;
      throw new DomainError('forbidden', 'tpm-access-denied', detail, { cause });
    }
    if (code === 'EBUSY') {
      throw new DomainError('unavailable', 'tpm-busy', `Another program holds ${path}.`, { cause });
    }
    throw unreachable(path, cause);
  }
}

class DeviceTransport implements Transport {
  readonly target: string;
  readonly managed: boolean;
  readonly #file: FileHandle;
  #dead: DomainError | undefined;

  constructor(path: string, file: FileHandle) {
    this.target = path;
    this.managed = /tpmrm\d+$/.test(path);
    this.#file = file;
  }

  async exchange(command: Bytes, timeoutMs: number): Promise<Bytes> {
    if (this.#dead !== undefined) throw this.#dead;
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(timedOut(this.target, timeoutMs)), timeoutMs);
      });
      return await Promise.race([this.#transact(command), late]);
    } catch (error) {
      this.#dead = error instanceof DomainError ? error : unreachable(this.target, error);
      throw this.#dead;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    if (this.#dead === undefined) {
      this.#dead = unreachable(this.target, new Error('closed by us'));
      await this.#file.close();
      return;
    }
    // A command may still be in the kernel: closing waits for it, and nobody should wait for that.
    this.#file.close().catch(() => undefined);
  }

  async #transact(command: Bytes): Promise<Bytes> {
    await this.#file.write(command, 0, command.length, null);
    const room = Buffer.alloc(MAX_RESPONSE_BYTES + 1);
    const { bytesRead } = await this.#file.read(room, 0, room.length, null);
    if (bytesRead === 0) throw unreachable(this.target, new Error('it gave an empty answer'));
    if (bytesRead < 6) throw cutShort(this.target, bytesRead, 10);
    const size = claimedSize(room, this.target);
    if (bytesRead < size) throw cutShort(this.target, bytesRead, size);
    if (bytesRead > size) throw tooMany(this.target);
    return new Uint8Array(room.subarray(0, size));
  }
}
