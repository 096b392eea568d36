import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { flushLeftOvers } from './capability.ts';
import { openDevice } from './device.linux.ts';
import { openSocket } from './stream.socket.ts';
import { DEFAULT_TCTI, parseTcti, type Tcti } from './tcti.ts';
import { Tpm } from './tpm.ts';
import type { Transport } from './transport.ts';

/**
 * Opens the TPM that `tcti` names (see parseTcti). Throws `tcti-malformed`, `tcti-not-local`, `tpm-unreachable`,
 * `tpm-access-denied`, `tpm-timeout` and so on.
 */
export async function openTpm(tcti: string = DEFAULT_TCTI): Promise<Tpm> {
  const transport = await openTransport(parseTcti(tcti));
  const tpm = new Tpm(transport, {
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    pause: (milliseconds) => setTimeout(milliseconds),
  });
  try {
    if (!transport.managed) await flushLeftOvers(tpm);
  } catch (error) {
    await tpm.close();
    throw error;
  }
  return tpm;
}

function openTransport(tcti: Tcti): Promise<Transport> {
  switch (tcti.kind) {
    case 'tcp':
    case 'unix':
      return openSocket(tcti);
    case 'device':
      return openDevice(tcti.path);
  }
}
