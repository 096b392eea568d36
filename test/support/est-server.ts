import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { OpensslCa } from '@cardwright/cms/testing';

export interface EstServer {
  readonly url: string;
  /** The TLS certificate's own CA, in PEM: not the CA that issues. */
  readonly trustFile: string;
  /** A client certificate that it takes, and its key. */
  readonly clientCertificateFile: string;
  readonly clientKeyFile: string;
  /** What was asked, oldest first: method, path, and who asked. */
  readonly asked: { readonly path: string; readonly by: string }[];
  /** In place of the answer to an enrolment, until it is set to null. */
  answer: ((csr: Uint8Array, response: ServerResponse, sign: () => Uint8Array) => void) | null;
  stop(): Promise<void>;
}

export const EST_LOGIN = { user: 'cardwright', password: 'pw of the registration authority' };
const EXTENSIONS = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=clientAuth',
];

/** An EST server (RFC 7030) over real TLS; openssl signs, and writes every PKCS #7. */
export async function startEstServer(ca: OpensslCa): Promise<EstServer> {
  const made = (name: string) => join(ca.folder, name);
  const newCertificate = (name: string, subject: string, extension: string) => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '9',
      '-keyout',
      made(`${name}.key`),
    ];
    ca.openssl(['req', '-x509', ...key, '-subj', subject, '-addext', extension, '-out', made(`${name}.pem`)]);
  };
  newCertificate('tls', '/CN=localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  newCertificate('client', '/CN=registration authority', 'extendedKeyUsage=clientAuth');
  const state: Pick<EstServer, 'asked' | 'answer'> = { asked: [], answer: null };

  const server = createServer(
    {
      cert: readFileSync(made('tls.pem')),
      key: readFileSync(made('tls.key')),
      ca: readFileSync(made('client.pem')),
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    },
    (request, response) => {
      serve(request, response).catch(() => response.destroy());
    },
  );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await collect(request);
    const by = whoAsks(request);
    const path = request.url ?? '';
    state.asked.push({ path, by: by ?? 'nobody' });
    const operation = /^\/\.well-known\/est\/(?:[a-z-]+\/)?(cacerts|simpleenroll|simplereenroll)$/.exec(path)?.[1];
    if (operation === undefined) return void response.writeHead(404).end();
    if (operation === 'cacerts') return send(response, certsOnly(ca, readFileSync(ca.certificateFile)));
    if (by === null) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="est"' }).end();
    if (request.headers['content-type'] !== 'application/pkcs10') return void response.writeHead(415).end();
    const csr = new Uint8Array(Buffer.from(body.toString('latin1'), 'base64'));
    const sign = () => ca.sign(csr, EXTENSIONS);
    if (state.answer !== null) return state.answer(csr, response, sign);
    send(response, certsOnly(ca, ca.openssl(['x509', '-inform', 'DER'], sign())));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return Object.assign(state, {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    trustFile: made('tls.pem'),
    clientCertificateFile: made('client.pem'),
    clientKeyFile: made('client.key'),
    stop,
  });
}

function whoAsks(request: IncomingMessage): string | null {
  const { user, password } = EST_LOGIN;
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (request.headers.authorization === basic) return 'password';
  return (request.socket as TLSSocket).authorized ? 'certificate' : null;
}

/** A certs-only PKCS #7 of openssl's, DER, of certificates in PEM. */
export function certsOnly(ca: Pick<OpensslCa, 'folder' | 'openssl'>, pem: Uint8Array): Buffer {
  const file = join(ca.folder, `${randomBytes(6).toString('hex')}.pem`);
  writeFileSync(file, pem);
  return ca.openssl(['crl2pkcs7', '-nocrl', '-certfile', file, '-outform', 'DER']);
}

export function send(response: ServerResponse, pkcs7: Uint8Array): void {
  const type = 'application/pkcs7-mime; smime-type=certs-only';
  const body = Buffer.from(pkcs7).toString('base64').replace(/.{64}/g, '$&\r\n');
  response.writeHead(200, { 'content-type': type, 'content-transfer-encoding': 'base64' }).end(body);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
