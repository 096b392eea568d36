import { spawn } from 'node:child_process';
import { lockService } from '../store/lock.linux.ts';
import { openDirectory } from '../store/medium.file.ts';
import type { ServiceHost } from './port.ts';

/** A desktop that does not answer is not waited for. */
const NOTIFY_MS = 5_000;

export function linuxService(agentVersion: string, directoryOf: (option: string | undefined) => string): ServiceHost {
  let stop: AbortController | undefined;
  let hurried = false;
  let onHurry: () => void = () => undefined;
  return {
    agentVersion,
    stopping: () => {
      if (stop !== undefined) return stop.signal;
      const controller = new AbortController();
      stop = controller;
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => controller.abort());
      // Not SIGUSR1, by which Node opens its debugger, nor SIGHUP, by which a terminal that closes ends what runs in it.
      process.on('SIGUSR2', () => {
        hurried = true;
        onHurry();
      });
      return controller.signal;
    },
    alone: async (option, work) => {
      const directory = directoryOf(option);
      openDirectory(directory);
      const lock = await lockService(directory);
      try {
        return await work();
      } finally {
        lock.release();
      }
    },
    pause: (milliseconds, signal) =>
      new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          onHurry = () => undefined;
          const early = hurried;
          hurried = false;
          resolve(early);
        };
        const timer = setTimeout(end, signal.aborted || hurried ? 0 : milliseconds);
        signal.addEventListener('abort', end);
        onHurry = end;
      }),
    notify,
  };
}

/** By notify-send (libnotify), where it is installed and this process has a session bus. */
function notify(title: string, text: string): Promise<boolean> {
  if (process.env.DBUS_SESSION_BUS_ADDRESS === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const program = spawn('notify-send', ['--app-name=cardwright', '--', title, text], {
      stdio: 'ignore',
      timeout: NOTIFY_MS,
    });
    program.on('error', () => resolve(false));
    program.on('exit', (code) => resolve(code === 0));
  });
}
