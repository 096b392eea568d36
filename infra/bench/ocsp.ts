import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectLink, type LinkClient } from '@cardwright/link';
import type { CaAlone } from './ca-alone.ts';
import { openssl, opensslCa, type Peer, startCfsslOcsp, startOpensslOcsp } from './ocsp-peers.ts';
import { type PostLoad, postLoad } from './post-load.ts';
import type { Row } from './table.ts';

const CERTIFICATES = 1000;
const CONNECTIONS = 8;
const ROUNDS = 3;
const CONTENT_TYPE = 'application/ocsp-request';

/**
 * OCSP answers a second by POST over 8 connections, about a thousand certificates of which every fifth is revoked.
 * Beside `cfssl ocspserve`, which serves the very answers of ours from its memory; and with a nonce in each request,
 * hence a signature for each answer, beside `openssl ocsp -multi 2`, which signs each as well. In turn.
 */
export async function measureOcsp(ca: CaAlone, parent: string, count: number): Promise<readonly Row[]> {
  const folder = join(parent, 'bench-ocsp');
  mkdirSync(folder);
  const link = connectLink({ socketPath: ca.socket, service: 'ca' });
  try {
    const serials = await issueMany(link, folder);
    const issuing = (await link.call<{ issuing: { certificate: string } }>('authorities', {})).issuing.certificate;
    writeFileSync(join(folder, 'issuing.der'), Buffer.from(issuing, 'base64url'));
    openssl(folder, 'x509', '-inform', 'DER', '-in', 'issuing.der', '-out', 'issuing.pem');
    opensslCa(folder, serials.map(indexLine).join(''));
    const ours = { port: ca.httpPort, path: '/pki/ocsp', bodies: requests(folder, 'issuing.pem', serials) };
    const answers: Buffer[] = [];
    await run({ ...ours, count: CERTIFICATES, check: (body, sent) => (answers[sent] = Buffer.from(body)) });

    const cfssl = await startCfsslOcsp(folder, answers);
    const kept = await compare(ours, { ...ours, path: '/' }, cfssl, count);
    const plain = { ...ours, bodies: requests(folder, 'ca.pem', serials), path: '/' };
    const signing = await startOpensslOcsp(folder);
    const withNonce = { ...ours, bodies: requests(folder, 'issuing.pem', serials, true) };
    const fresh = await compare(withNonce, plain, signing, Math.ceil(count / 2));
    return [
      row('OCSP answers by POST', kept, 'cfssl ocspserve, the same answers'),
      row('OCSP answers with a nonce, each signed', fresh, 'openssl ocsp -multi 2, each signed'),
    ];
  } finally {
    await link.close();
  }
}

type Target = Pick<PostLoad, 'port' | 'path' | 'bodies'>;

const run = (load: Target & Pick<PostLoad, 'count'> & Partial<Pick<PostLoad, 'check'>>): Promise<number> =>
  postLoad({ connections: CONNECTIONS, contentType: CONTENT_TYPE, check: isSuccessful, ...load });

/** OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED successful(0), … } with a 2-byte length. */
function isSuccessful(body: Buffer): void {
  if (body.length < 300 || body.readUIntBE(4, 3) !== 0x0a0100) throw new Error(`answered ${body.toString('hex')}`);
}

async function compare(ours: Target, theirs: Omit<Target, 'port'>, peer: Peer, count: number) {
  try {
    const both = [
      { load: { ...ours, count }, rates: [] as number[] },
      { load: { ...theirs, port: peer.port, count }, rates: [] as number[] },
    ] as const;
    for (const { load } of both) await run({ ...load, count: Math.ceil(count / 4) });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { load, rates } of both) rates.push(await run(load));
    }
    const [mine, floor] = both.map(({ rates }) => rates.toSorted((a, b) => a - b)[1] ?? 0);
    return { mine: mine ?? 0, floor: floor ?? 0 };
  } finally {
    await peer.stop();
  }
}

function row(what: string, { mine, floor }: { mine: number; floor: number }, peer: string): Row {
  return {
    what: `${what}, ${CONNECTIONS} connections`,
    ours: `${Math.round(mine)}/s`,
    floor: `${Math.round(floor)}/s (${peer})`,
    ratio: mine / floor,
    aim: 1,
  };
}

/** @returns the serial numbers, 16 bytes each whose first bit is 0, so that all requests are of one length. */
async function issueMany(link: LinkClient, folder: string): Promise<Buffer[]> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'bench.key'];
  openssl(folder, 'req', '-new', ...key, '-subj', '/CN=bench', '-outform', 'DER', '-out', 'bench.csr');
  const csr = readFileSync(join(folder, 'bench.csr')).toString('base64url');
  const serials: Buffer[] = [];
  for (let batch = 0; serials.length < CERTIFICATES; batch += 1) {
    const issued = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const { serialNumber } = await link.call<{ serialNumber: string }>('issue', {
          requestId: `bench-ocsp-${batch}-${n}`,
          csr,
          profile: 'tls-client',
          subject: { commonName: 'Ben Chmark' },
          subjectAltName: { email: 'ben@cardwright.example' },
          validitySeconds: 86_400,
        });
        return Buffer.from(serialNumber, 'hex');
      }),
    );
    serials.push(...issued.filter(([first = 0xff]) => first < 0x80));
  }
  serials.length = CERTIFICATES;
  const revokedAt = new Date().toISOString();
  const revoke = (serial: Buffer) =>
    link.call('revoke', { serialNumber: serial.toString('hex'), reason: 'superseded', revokedAt });
  await Promise.all(serials.filter(isRevoked).map(revoke));
  return serials;
}

const isRevoked = (_serial: Buffer, at: number): boolean => at % 5 === 0;

/** A line of index.txt of `openssl ca`. */
function indexLine(serial: Buffer, at: number): string {
  const tail = `${serial.toString('hex').toUpperCase()}\tunknown\t/CN=${at}\n`;
  return isRevoked(serial, at) ? `R\t401231235959Z\t261001000000Z,superseded\t${tail}` : `V\t401231235959Z\t\t${tail}`;
}

/** As openssl writes them, by SHA-1: one is made, and the others differ from it in the serial number (and nonce) alone. */
function requests(folder: string, issuer: string, serials: readonly Buffer[], nonce = false): Buffer[] {
  const marker = Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex');
  const args = ['-issuer', issuer, '-serial', `0x${marker.toString('hex')}`, ...(nonce ? ['-nonce'] : ['-no_nonce'])];
  openssl(folder, 'ocsp', ...args, '-reqout', 'request.der');
  const template = readFileSync(join(folder, 'request.der'));
  const at = template.indexOf(marker);
  return serials.map((serial) =>
    Buffer.concat([template.subarray(0, at), serial, template.subarray(at + marker.length)]),
  );
}
