import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startChild, stopProcess } from '../processes/child.ts';
import { freePort } from '../processes/ports.ts';
import { until } from '../processes/until.ts';

export interface Cfssl {
  readonly port: number;
  stop(): Promise<void>;
}

/** `cfssl serve` with a new P-256 CA in `folder`, on a port of 127.0.0.1; without a database, or recording in one. */
export async function startCfssl(folder: string, databaseUrl?: string): Promise<Cfssl> {
  const at = (name: string) => join(folder, name);
  writeFileSync(at('request.json'), JSON.stringify({ CN: 'Peer CA', key: { algo: 'ecdsa', size: 256 } }));
  const made = JSON.parse(
    execFileSync('cfssl', ['gencert', '-initca', at('request.json')], { encoding: 'utf8', stdio: 'pipe' }),
  ) as { cert: string; key: string };
  writeFileSync(at('ca.pem'), made.cert);
  writeFileSync(at('ca-key.pem'), made.key, { mode: 0o600 });
  const profile = { usages: ['digital signature', 'client auth'], expiry: '2160h' };
  writeFileSync(at('config.json'), JSON.stringify({ signing: { default: profile } }));
  if (databaseUrl !== undefined) {
    writeFileSync(at('database.json'), JSON.stringify({ driver: 'postgres', data_source: databaseUrl }), {
      mode: 0o600,
    });
  }
  const record = databaseUrl === undefined ? [] : ['-db-config', at('database.json')];
  const port = await freePort();
  const keys = ['-ca', at('ca.pem'), '-ca-key', at('ca-key.pem'), '-config', at('config.json')];
  const child = await startChild({
    name: 'cfssl',
    command: 'cfssl',
    args: ['serve', '-address', '127.0.0.1', '-port', String(port), '-loglevel', '5', ...keys, ...record],
    env: { PATH: process.env.PATH ?? '' },
    logFile: at('cfssl.log'),
    workingDirectory: folder,
  });
  await until({ what: 'cfssl to listen', seconds: 30 }, () => listens(port));
  return { port, stop: () => stopProcess(child.identity) };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
