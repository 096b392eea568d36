import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { homedir, hostname, release } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@cardwright/protocol';
import { cardsInReaders } from './card/minidriver/cards-in-readers.ts';
import type { CardMaker } from './card/port.ts';
import { tpmCardMaker } from './card/tpm/index.ts';
import type { Context } from './commands/command.ts';
import { linuxProbes } from './doctor/probes.linux.ts';
import { type FaultPoint, withFaults } from './faults.ts';
import { tpmLockout } from './lockout/lockout.tpm.ts';
import { openReaders, PCSCD_SOCKET } from './pcsc/readers.socket.ts';
import { proxyFor } from './server/proxy.ts';
import { httpServer } from './server/server.http.ts';
import { createSignIn } from './server/sign-in.ts';
import { caOfServer } from './server/trust.http.ts';
import { linuxService } from './service/host.linux.ts';
import { lockStore } from './store/lock.linux.ts';
import { errno, FileMedium, openDirectory } from './store/medium.file.ts';
import { Store } from './store/store.ts';
import { askHidden, keyboardLines } from './terminal/keyboard.tty.ts';
import { linesOf } from './terminal/lines.stream.ts';
import { withPatience } from './terminal/patience.tty.ts';
import { pinsFrom } from './terminal/pins.ts';
import type { LineSource, Output } from './terminal/port.ts';
import { printable } from './terminal/printable.ts';
import { openTpm } from './tpm/index.ts';
import { VERSION } from './version.ts';

/** The real thing: this process, its terminal, this machine's files and TPM. Chooses the adapters. */
export function systemContext(environment: NodeJS.ProcessEnv, point: FaultPoint): Context {
  const output: Output = {
    print: (text) => process.stdout.write(`${printable(text)}\n`),
    note: (text) => process.stderr.write(`${printable(text)}\n`),
  };
  let piped: LineSource | undefined;
  const fromPipe = () => {
    piped ??= linesOf(process.stdin);
    return piped;
  };
  const directoryOf = (option: string | undefined) =>
    resolve(option ?? environment.CARDWRIGHT_STORE ?? defaultStore(environment));
  // A TPM without a resource manager has one client: who has it open signs in with it, too.
  const open = new Set<CardMaker>();
  /** The one that the command line named, if it did. */
  let lastTpm: string | undefined;
  const useCards = async <T>(tpm: string | undefined, work: (cards: CardMaker) => Promise<T>): Promise<T> => {
    const hardware = await openTpm(tpm ?? environment.CARDWRIGHT_TPM);
    lastTpm = tpm;
    const cards = withFaults(tpmCardMaker(withFaults(hardware, 'tpm', point, ['run'])), 'card', point);
    open.add(cards);
    try {
      return await work(cards);
    } finally {
      open.delete(cards);
      await cards.close();
    }
  };
  const probes = linuxProbes({
    agentVersion: VERSION,
    environment,
    storeDirectory: directoryOf,
    now: () => new Date(),
  });
  const signIn = createSignIn({
    now: () => new Date(),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    withAttestation: (work) => {
      const opened = [...open].at(-1);
      return opened === undefined
        ? useCards(lastTpm, (cards) => work(cards.attestation()))
        : work(opened.attestation());
    },
  });
  return {
    output,
    point,
    host: { name: hostname().slice(0, 200), platform: `linux ${release()}`.slice(0, 100) },
    columns: () => (process.stdout.isTTY ? process.stdout.columns : null),
    now: () => new Date(),
    sleep: async (milliseconds) => {
      await sleep(milliseconds);
    },
    patience: (what, work) => withPatience(what, work, { watched: process.stderr.isTTY, note: output.note }),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    pins: (fromStdin) =>
      fromStdin
        ? pinsFrom((prompt) => fromPipe().line(prompt), false, output.note)
        : pinsFrom((prompt) => askHidden(terminal('--pin-stdin'), prompt), true, output.note),
    lines: (fromStdin) => (fromStdin ? fromPipe() : keyboardLines(terminal('--response-stdin or --yes'))),
    readStore: (option) => {
      const directory = directoryOf(option);
      // Whoever only looks makes nothing.
      if (existsSync(directory)) openDirectory(directory);
      return new Store(new FileMedium(directory, point));
    },
    changeStore: async (option, work) => {
      const directory = directoryOf(option);
      openDirectory(directory);
      const lock = await lockStore(directory);
      try {
        return await work(new Store(new FileMedium(directory, point)));
      } finally {
        lock.release();
      }
    },
    useCards,
    useCardReaders: async (work) => {
      const readers = await openReaders(environment.PCSCLITE_CSOCK_NAME ?? PCSCD_SOCKET);
      const cards = cardsInReaders(readers);
      try {
        return await work({
          withCard: (serial, reader, act) =>
            cards.withCard(serial, reader, (card) => act(withFaults(card, 'card-in-reader', point))),
        });
      } finally {
        await readers.close();
      }
    },
    server: (known, limits = {}) => withFaults(httpServer(known, limits, environment, signIn), 'server', point),
    caOfServer: async (url) => (url.startsWith('https:') ? caOfServer(url, proxyFor(url, environment)) : null),
    files: { sha256, write },
    service: linuxService(VERSION, directoryOf),
    useLockout: async (tpm, work) => {
      const hardware = await openTpm(tpm ?? environment.CARDWRIGHT_TPM);
      const lockout = tpmLockout(withFaults(hardware, 'tpm', point, ['run']));
      try {
        return await work(lockout);
      } finally {
        await lockout.close();
      }
    },
    probes: {
      ...probes,
      tpm: (tpm) => {
        lastTpm = tpm;
        return probes.tpm(tpm);
      },
    },
  };
}

function defaultStore(environment: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/lib/cardwright';
  // XDG Base Directory: a relative path is to be ignored.
  const data = environment.XDG_DATA_HOME;
  return join(data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local', 'share'), 'cardwright');
}

function terminal(instead: string) {
  if (process.stdin.isTTY) return process.stdin;
  throw new DomainError('invalid', 'terminal-missing', `There is no terminal to type at; for scripts: ${instead}.`);
}

async function sha256(path: string): Promise<Uint8Array> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    const detail = `The file to sign can't be read (${errno(cause) ?? 'unknown error'}).`;
    throw new DomainError('not-found', 'file-unreadable', detail, { cause });
  }
  return hash.digest();
}

function write(path: string, content: Uint8Array | string): void {
  try {
    writeFileSync(path, content);
  } catch (cause) {
    const detail = `The output file can't be written (${errno(cause) ?? 'unknown error'}).`;
    throw new DomainError('unavailable', 'file-unwritable', detail, { cause });
  }
}
