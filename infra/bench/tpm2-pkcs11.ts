import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../processes/until.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../software-tpm/start.ts';

const PROGRAM = fileURLToPath(new URL('./pkcs11-program.js', import.meta.url));
const MODULE = '/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1';
const PROGRAMS = ['tpm2_ptool', 'tpm2-abrmd', 'dbus-daemon', 'certtool', 'pkcs11-tool', 'tpm2_getcap'];

/** The peer: tpm2-pkcs11 on a software TPM of its own, behind the resource manager that it needs, on a bus of its own. */
export interface Tpm2Pkcs11 {
  /** Makes a token with one P-256 key; gives its certification request, PEM. */
  makeToken(store: string, pin: string): Promise<string>;
  addCertificate(store: string, pem: string): Promise<void>;
  sign(store: string, pin: string, digestFile: string): Promise<void>;
  /** By `tpm2_ptool changepin`. */
  changePin(store: string, old: string, fresh: string): Promise<void>;
  /** By C_SetPIN, through pkcs11-tool. */
  setPin(store: string, old: string, fresh: string): Promise<void>;
  /** Milliseconds of so many C_Sign after one C_Login, and C_SetPIN, in one process (pkcs11-program.ts). */
  inOneProcess(store: string, pin: string, other: string, count: number): Promise<Acts>;
  /** Gives the TPM its place back. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

export interface Acts {
  readonly signing: readonly number[];
  readonly changing: readonly number[];
}

/** What is missing of the peer; nothing when it can be measured. */
export function missingOfTpm2Pkcs11(): readonly string[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const there = (program: string): boolean =>
    folders.some((folder) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  return [...PROGRAMS.filter((program) => !there(program)), ...(existsSync(MODULE) ? [] : [MODULE])];
}

export async function startTpm2Pkcs11(folder: string, stateDir: string): Promise<Tpm2Pkcs11> {
  const tpm: SoftwareTpm = await startSoftwareTpm({ stateDir });
  const bus = `unix:path=${join(folder, 'bus')}`;
  writeFileSync(
    join(folder, 'bus.conf'),
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>${bus}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const tcti = 'tabrmd:bus_type=session';
  const environment = (store: string) => ({
    ...process.env,
    ...{ DBUS_SESSION_BUS_ADDRESS: bus, TPM2TOOLS_TCTI: tcti, TPM2_PKCS11_TCTI: tcti },
    ...{ TPM2_PKCS11_STORE: store, TPM2_PKCS11_LOG_LEVEL: '0' },
  });
  const run = async (store: string, program: string, ...args: readonly string[]): Promise<string> => {
    const options = { env: environment(store), cwd: folder, timeout: 60_000 };
    return (await promisify(execFile)(program, args, options)).stdout;
  };
  const background: ChildProcess[] = [];
  const begin = (program: string, ...args: readonly string[]): void => {
    background.push(spawn(program, args, { env: environment(folder), stdio: 'ignore' }));
  };
  async function stop(): Promise<void> {
    for (const child of background.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    await tpm.stop();
  }

  try {
    begin('dbus-daemon', `--config-file=${join(folder, 'bus.conf')}`, '--nofork');
    await until({ what: 'the bus', seconds: 20 }, () => existsSync(join(folder, 'bus')) || null);
    begin('tpm2-abrmd', '--session', '--allow-root', '--tcti', tpm.tcti);
    await until({ what: 'the resource manager', seconds: 30 }, () =>
      run(folder, 'tpm2_getcap', 'handles-persistent').then(
        () => true,
        () => null,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }

  const label = 'card';
  const ptool = (store: string, command: string, ...args: readonly string[]) =>
    run(store, 'tpm2_ptool', command, '--path', store, ...args);
  const token = ['--module', MODULE, '--token-label', label];
  return {
    async makeToken(store, pin) {
      await ptool(store, 'init');
      await ptool(store, 'addtoken', '--pid', '1', '--sopin', '71236498', '--userpin', pin, '--label', label);
      await ptool(store, 'addkey', '--algorithm', 'ecc256', '--label', label, '--userpin', pin, '--key-label', 'key');
      const [template, request] = [join(store, 'template'), join(store, 'request.pem')];
      writeFileSync(template, 'cn = "card"\n');
      const key = `pkcs11:token=${label};object=key;type=private?pin-value=${pin}`;
      const making = ['--generate-request', '--load-privkey', key, '--template', template, '--outfile', request];
      await run(store, 'certtool', `--provider=${MODULE}`, ...making);
      return request;
    },
    async addCertificate(store, pem) {
      await ptool(store, 'addcert', '--label', label, '--key-label', 'key', pem);
    },
    async sign(store, pin, digestFile) {
      const signing = ['--sign', '-m', 'ECDSA', '--pin', pin, '--label', 'key', '-i', digestFile];
      await run(store, 'pkcs11-tool', ...token, ...signing, '-o', join(store, 'signature'));
    },
    async changePin(store, old, fresh) {
      await ptool(store, 'changepin', '--label', label, '--user', 'user', '--old', old, '--new', fresh);
    },
    async setPin(store, old, fresh) {
      await run(store, 'pkcs11-tool', ...token, '--login', '--change-pin', '--pin', old, '--new-pin', fresh);
    },
    async inOneProcess(store, pin, other, count) {
      return JSON.parse(await run(store, process.execPath, PROGRAM, MODULE, pin, other, String(count)));
    },
    async forget() {
      const handles = (await run(folder, 'tpm2_getcap', 'handles-persistent')).match(/0x[0-9A-Fa-f]+/g) ?? [];
      for (const handle of handles) {
        // The endorsement keys that the maker of the TPM put there stay.
        if (/^0x8100/.test(handle)) await run(folder, 'tpm2_evictcontrol', '-Q', '-C', 'o', '-c', handle);
      }
    },
    stop,
  };
}
