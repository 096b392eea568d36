import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLink } from '@cardwright/link';
import type { System } from '../launcher/system.ts';
import { startCfssl } from './cfssl.ts';
import { runLoad } from './load.ts';
import type { Row } from './table.ts';

const CONNECTIONS = 8;
/** On each connection to ours, as the processes of cms ask; HTTP has one on each. */
const IN_FLIGHT = 32;
/** The peer gets these as well, and its better result counts. */
const PEER_CONNECTIONS = [CONNECTIONS, 64];
const ROUNDS = 3;
const REQUESTS = 64;

/**
 * Certificates a second of the ca alone, through its socket: P-256, the possession of the key proved, linted, recorded
 * twice and durably (before it is signed and after). The peer is `cfssl serve` with a P-256 key and no database: it checks
 * the request's signature too, and records nothing. Both get the same requests, in turn.
 */
export async function measureCaIssuance(system: System, certificates: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cw-bench-ca-'));
  const peer = await startCfssl(folder);
  const socketPath = join(system.data.sockets, 'ca.sock');
  const links = Array.from({ length: CONNECTIONS }, () => connectLink({ socketPath, service: 'ca' }));
  try {
    const csrs = Array.from({ length: REQUESTS }, (_, n) => makeCsr(folder, n));
    let made = 0;
    const ours = async (inFlight: number, count: number) => {
      const began = performance.now();
      let left = count;
      const one = async (link: (typeof links)[number]) => {
        while (left > 0) {
          left -= 1;
          made += 1;
          await link.call('issue', order(made, csrs[made % REQUESTS] as Csr));
        }
      };
      await Promise.all(links.flatMap((link) => Array.from({ length: inFlight }, () => one(link))));
      return (count * 1000) / (performance.now() - began);
    };
    const requests = Array.from({ length: certificates }, (_, n) => ({
      path: '/api/v1/cfssl/sign',
      headers: {},
      body: JSON.stringify({ certificate_request: (csrs[n % REQUESTS] as Csr).pem, hosts: ['alice.corp.example'] }),
    }));
    const theirs = async (connections: number) =>
      (await runLoad({ port: peer.port, connections, requests, expectedStatus: 200 })).perSecond;

    await ours(IN_FLIGHT, Math.ceil(certificates / 2)); // compiled code, plans, pages
    await theirs(CONNECTIONS);
    const [mine, mineOneByOne, peers]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      mine.push(await ours(IN_FLIGHT, certificates));
      for (const connections of PEER_CONNECTIONS) peers.push(await theirs(connections));
      mineOneByOne.push(await ours(1, Math.ceil(certificates / 2)));
    }
    const best = Math.max(
      ...PEER_CONNECTIONS.map((_, at) => median(peers.filter((_, n) => n % PEER_CONNECTIONS.length === at))),
    );
    const floor = `${Math.round(best)}/s (cfssl serve, no database)`;
    const row = (inFlight: number, perSecond: number): Row => ({
      what: `certificates of the ca alone, P-256, ${CONNECTIONS} connections, ${inFlight} under way on each`,
      ours: `${Math.round(perSecond)}/s, recorded durably before and after`,
      floor,
      ratio: perSecond / best,
      aim: 1,
    });
    return [row(IN_FLIGHT, median(mine)), row(1, median(mineOneByOne))];
  } finally {
    await Promise.all(links.map((link) => link.close()));
    await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

interface Csr {
  readonly pem: string;
  /** DER, base64url. */
  readonly der: string;
}

function makeCsr(folder: string, number: number): Csr {
  const out = join(folder, `${number}.csr`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'csr.key')];
  execFileSync('openssl', ['req', '-new', ...key, '-subj', '/CN=bench', '-out', out], { stdio: 'pipe' });
  const pem = readFileSync(out, 'utf8');
  return { pem, der: Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64url') };
}

const order = (number: number, { der }: Csr) => ({
  requestId: `bench-${number}`,
  csr: der,
  profile: 'smart-card-sign-in',
  subject: { commonName: 'Alice Adams' },
  subjectAltName: { userPrincipalName: 'alice@corp.example', email: 'alice@corp.example' },
  validitySeconds: 86_400,
});
