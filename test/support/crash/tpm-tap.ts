import type { AddressInfo } from 'node:net';
import type { Crossings } from './crossings.ts';
import type { Tap } from './http-tap.ts';
import { Messages, wireTap } from './wire-tap.ts';

/** TPM 2.0 part 2, 6.5.2: the commands whose effect outlives the connection. */
const LASTING: Readonly<Record<number, string>> = {
  288: 'EvictControl',
  290: 'NV_UndefineSpace',
  298: 'NV_DefineSpace',
  308: 'NV_Increment',
  311: 'NV_Write',
  315: 'NV_ChangeAuth',
};

export interface TpmTap extends Tap {
  /** For CARDWRIGHT_TPM. */
  readonly tcti: string;
}

/** Between the agent and its TPM. */
export async function tpmTap(crossings: Crossings, target: { readonly port: number }): Promise<TpmTap> {
  // TPM 2.0 part 3, 5.2: tag, size, code. Response: the same with a response code.
  const lengthOf = (bytes: Buffer) => (bytes.length < 6 ? null : bytes.readUInt32BE(2));
  const ends = ['agent', 'tpm'] as const;
  const tap = await wireTap(
    { port: 0, host: '127.0.0.1' },
    () => ({ port: target.port, host: '127.0.0.1' }),
    () => {
      const [commands, responses] = [new Messages(lengthOf), new Messages(lengthOf)];
      let sent: string | undefined;
      return {
        async fromClient(chunk) {
          const passed = commands.push(chunk);
          for (const command of passed) {
            const lasting = LASTING[command.readUInt32BE(6)];
            sent = lasting === undefined ? undefined : `agent > tpm: ${lasting}`;
            if (sent !== undefined && (await crossings.cross({ name: sent, ends }, 'before'))) return null;
          }
          return Buffer.concat(passed);
        },
        async fromServer(chunk) {
          const passed = responses.push(chunk);
          for (const _response of passed) {
            if (sent !== undefined && (await crossings.cross({ name: sent, ends }, 'after'))) return null;
          }
          return Buffer.concat(passed);
        },
      };
    },
  );
  const { port } = tap.server.address() as AddressInfo;
  return { tcti: `swtpm:host=127.0.0.1,port=${port}`, close: tap.close };
}
