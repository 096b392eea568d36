import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../processes/ports.ts';
import { until } from '../processes/until.ts';

export interface Peer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Reads nothing at start but what it is told to. */
const ENV = { PATH: process.env.PATH ?? '', SSL_CERT_FILE: '/dev/null' };

export const openssl = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('openssl', [...args], {
    cwd,
    env: ENV,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/**
 * A CA of openssl's own in `folder` (ca.pem, ca.key: P-256), its index with these serial numbers, and a delegated responder
 * (signer.pem, signer.key).
 */
export function opensslCa(folder: string, index: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(folder, 'req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Peer CA', '-days', '30');
  openssl(folder, 'req', '-new', ...key, '-keyout', 'signer.key', '-out', 'signer.csr', '-subj', '/CN=Peer responder');
  writeFileSync(join(folder, 'signer.ext'), 'extendedKeyUsage=OCSPSigning\nkeyUsage=digitalSignature\nnoCheck=yes\n');
  const files = ['-in', 'signer.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-out', 'signer.pem'];
  openssl(folder, 'x509', '-req', ...files, '-days', '30', '-extfile', 'signer.ext');
  writeFileSync(join(folder, 'index.txt'), index);
  writeFileSync(join(folder, 'index.txt.attr'), 'unique_subject = no\n');
}

/** `openssl ocsp` with two processes: looks the index up and signs each answer. */
export async function startOpensslOcsp(folder: string): Promise<Peer> {
  const port = await freePort();
  const files = ['-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', 'signer.pem', '-rkey', 'signer.key'];
  const child = spawn('openssl', ['ocsp', '-port', String(port), '-multi', '2', '-nmin', '10', ...files], {
    cwd: folder,
    env: ENV,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  // It makes itself the leader of a group, and its workers outlive it when it is killed.
  return peer(child, port, (pid) => -pid);
}

/** `cfssl ocspserve` with answers that were signed beforehand, each in base64 on a line. */
export async function startCfsslOcsp(folder: string, answers: readonly Buffer[]): Promise<Peer> {
  const port = await freePort();
  writeFileSync(join(folder, 'answers'), answers.map((answer) => `${answer.toString('base64')}\n`).join(''));
  const args = ['ocspserve', '-address', '127.0.0.1', '-port', String(port), '-responses', 'answers', '-loglevel', '5'];
  const child = spawn('cfssl', args, { cwd: folder, env: ENV, stdio: ['ignore', 'ignore', 'ignore'] });
  return peer(child, port, (pid) => pid);
}

async function peer(child: ChildProcess, port: number, whom: (pid: number) => number): Promise<Peer> {
  const ended = once(child, 'close');
  await until({ what: 'a peer to listen', seconds: 30 }, () => {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    return accepts(port);
  });
  return {
    port,
    async stop() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(whom(child.pid), 'SIGKILL');
      await ended;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
