import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { type Ran, run } from './run.ts';
import { runFolder } from './run-folder.ts';

const READERS = ['Virtual PCD 00 00', 'Virtual PCD 00 01'] as const;
const DRIVER = '/usr/lib/pcsc/drivers/serial/libifdvpcd.so';

/** A pcscd of a test's own, with a virtual reader of two slots that a card is put into over TCP. */
export interface TestPcscd {
  /** For PCSCLITE_CSOCK_NAME, which OpenSC's tools and the agent read. */
  readonly socket: string;
  /** Of the first slot and the second. */
  readonly ports: readonly [number, number];
  readonly readers: readonly [string, string];
  readonly env: Readonly<Record<string, string>>;
  /**
   * Runs a program that is not ours (opensc-tool, gids-tool) on these readers. OpenSC asks a card all that it could be,
   * in a second, unless it is told which driver to use.
   */
  tool(program: string, args: readonly string[], options?: { readonly drivers?: 'all' | 'gids' }): Promise<Ran>;
  /**
   * Whether pcscd has seen a card in that slot, by its own word: its answer to clients says so too early (a card that was
   * put in again before it had seen the other one go would never be seen).
   */
  sees(slot: 0 | 1): boolean;
  /** As by kill -9: every card is out, every client's connection is gone. */
  kill(): Promise<void>;
  /** Again, after `kill`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The real pcscd with the real vpcd driver. pcscd's socket has a fixed path, so it runs in a mount namespace where that
 * folder is one of ours. vpcd listens on all interfaces (whoever connects first *is* the card): for tests that is a card
 * with made-up keys, for the seconds that they last. Needs root, as in CI. Dies with this process.
 */
export async function startPcscd(): Promise<TestPcscd> {
  const directory = mkdtempSync(join(runFolder(), 'pcscd-'));
  const folder = join(directory, 'run');
  const config = join(directory, 'reader.conf.d');
  mkdirSync(folder);
  mkdirSync(config);
  const socket = join(folder, 'pcscd.comm');
  let child: ChildProcess | undefined;
  let port = 0;
  let log = '';

  async function start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      port = attempt === 1 && port !== 0 ? port : await freePair();
      writeFileSync(join(config, 'vpcd'), readerConfiguration(port));
      rmSync(socket, { force: true });
      child = launch(folder, config);
      log = '';
      child.stdout?.on('data', (chunk) => {
        log += chunk;
      });
      const up = await until({ what: 'pcscd to start', seconds: 20 }, () => {
        if (child?.exitCode !== null || child.signalCode !== null) return 'ended';
        if (/Could not bind|RFInitializeReader\(\).*failed/i.test(log)) return 'port-taken';
        return log.includes('daemon ready') && existsSync(socket) ? 'ready' : null;
      });
      if (up === 'ready') return;
      await stop();
      if (attempt === 3) throw new Error(`pcscd did not start (${up}):\n${log}`);
    }
  }

  async function stop(): Promise<void> {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await ended;
  }

  await start();
  const env = { PCSCLITE_CSOCK_NAME: socket };
  const openscConf = join(directory, 'opensc.conf');
  writeFileSync(openscConf, 'app default {\n  card_drivers = gids;\n}\n');
  return {
    ...{ socket, env, readers: READERS },
    sees: (slot) => {
      const said = [...log.matchAll(/Card (inserted into|Removed From) (.+)/g)];
      return said.findLast(([, , reader]) => reader === READERS[slot])?.[1] === 'inserted into';
    },
    get ports() {
      return [port, port + 1] as const;
    },
    tool: (program, args, { drivers = 'gids' } = {}) =>
      run(program, args, { env: { ...env, ...(drivers === 'gids' ? { OPENSC_CONF: openscConf } : {}) }, seconds: 30 }),
    kill: stop,
    start,
    async stop() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function launch(folder: string, config: string): ChildProcess {
  // setpriv: if this process is killed, pcscd goes as well.
  const inside =
    'mkdir -p /run/pcscd && mount --bind "$1" /run/pcscd && exec /usr/sbin/pcscd --foreground --info --config "$2"';
  const args = ['--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-c', inside, 'sh', folder, config];
  return spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

const readerConfiguration = (port: number) => `FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x${port.toString(16).toUpperCase()}
LIBPATH ${DRIVER}
CHANNELID 0x${port.toString(16).toUpperCase()}
`;

/** vpcd listens on the named port and, for its second slot, on the next. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port !== null && port < 65_535 && (await listenOnce(port + 1)) !== null) return port;
  }
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '0.0.0.0', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
