import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** MIT's KDC with PKINIT (RFC 4556), in a folder and on a port of its own, for a realm whose people sign in with our certificates. */
export interface Kdc {
  readonly realm: string;
  addPrincipal(name: string): void;
  /** Signs in with a certificate and its key, as kinit does. `said`: what kinit had to say. */
  signIn(principal: string, identity: { certificate: string; key: string }): { granted: boolean; said: string };
  /** The KDC reads its CRLs and settings when it starts: starts it anew with these. `crl`: PEM. */
  restart(settings: { crl?: string; allowUpn?: boolean; requireCrl?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

const DEADLINE_MS = 15_000;
const PATHS = { PATH: `${process.env.PATH ?? ''}:/usr/sbin` };

/** @param anchors PEM of our root and of our issuing CA. */
export async function startKdc(realm: string, anchors: { root: string; issuing: string }): Promise<Kdc> {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-kdc-'));
  const at = (name: string) => join(folder, name);
  const env = {
    ...PATHS,
    KRB5_CONFIG: at('krb5.conf'),
    KRB5_KDC_PROFILE: at('kdc.conf'),
    KRB5CCNAME: `FILE:${at('cache')}`,
  };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  writeFileSync(at('root.pem'), anchors.root);
  writeFileSync(at('issuing.pem'), anchors.issuing);
  makeKdcCertificate(realm, at, run);
  const port = await freePort();
  writeFileSync(at('krb5.conf'), clientSettings(realm, port, at));
  writeFileSync(at('kdc.conf'), kdcSettings(realm, port, at, {}));
  run('kdb5_util', '-r', realm, 'create', '-s', '-P', 'of a database that lives for seconds');

  let process: ChildProcess | null = null;
  const begin = async () => {
    process = spawn('krb5kdc', ['-n', '-r', realm], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(at('output'), { flags: 'a' });
    process.stdout?.pipe(log);
    process.stderr?.pipe(log);
    await listening(port, process);
  };
  const end = async () => {
    const running = process;
    process = null;
    if (running === null || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await ended;
  };
  await begin();

  return {
    realm,
    addPrincipal: (name) => {
      run('kadmin.local', '-r', realm, '-q', `addprinc -nokey +requires_preauth ${name}`);
    },
    signIn(principal, { certificate, key }) {
      rmSync(at('cache'), { force: true });
      writeFileSync(at('user.pem'), certificate);
      writeFileSync(at('user.key'), key, { mode: 0o600 });
      const identity = `X509_user_identity=FILE:${at('user.pem')},${at('user.key')}`;
      const options = { env, cwd: folder, encoding: 'utf8', timeout: DEADLINE_MS, input: '' } as const;
      const asked = spawnSync('kinit', ['-X', identity, principal], options);
      if (asked.status !== 0) return { granted: false, said: asked.stderr + asked.stdout };
      const listed = run('klist');
      return {
        granted: listed.includes(`Default principal: ${principal}`) && listed.includes('krbtgt/'),
        said: listed,
      };
    },
    async restart({ crl, ...settings }) {
      await end();
      if (crl !== undefined) writeFileSync(at('crl.pem'), crl);
      writeFileSync(at('kdc.conf'), kdcSettings(realm, port, at, { ...settings, hasCrl: crl !== undefined }));
      await begin();
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type At = (name: string) => string;

function clientSettings(realm: string, port: number, at: At): string {
  return `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${realm} = {
    kdc = 127.0.0.1:${port}
    pkinit_anchors = FILE:${at('kdc-ca.pem')}
    pkinit_anchors = FILE:${at('root.pem')}
    pkinit_pool = FILE:${at('issuing.pem')}
  }
`;
}

interface KdcSettings {
  readonly hasCrl?: boolean;
  readonly allowUpn?: boolean;
  readonly requireCrl?: boolean;
}

function kdcSettings(realm: string, port: number, at: At, { hasCrl, allowUpn, requireCrl }: KdcSettings): string {
  return `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${realm} = {
    database_name = ${at('principal')}
    key_stash_file = ${at('stash')}
    acl_file = ${at('acl')}
    pkinit_identity = FILE:${at('kdc.pem')},${at('kdc.key')}
    pkinit_anchors = FILE:${at('root.pem')}
    pkinit_pool = FILE:${at('issuing.pem')}
    ${hasCrl ? `pkinit_revoke = FILE:${at('crl.pem')}` : ''}
    ${allowUpn ? 'pkinit_allow_upn = true' : ''}
    ${requireCrl ? 'pkinit_require_crl_checking = true' : ''}
  }
[logging]
  kdc = FILE:${at('log')}
`;
}

/** Of a small CA of its own, as in a realm that has one: id-pkinit-KPKdc, and krbtgt/REALM for its name (RFC 4556 3.2.4). */
function makeKdcCertificate(realm: string, at: At, run: (program: string, ...args: string[]) => string): void {
  writeFileSync(
    at('openssl.cnf'),
    `[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[kdc]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = 1.3.6.1.5.2.3.5
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = otherName:1.3.6.1.5.2.2;SEQUENCE:principal
[principal]
realm = EXP:0, GeneralString:${realm}
name = EXP:1, SEQUENCE:parts
[parts]
type = EXP:0, INTEGER:2
strings = EXP:1, SEQUENCE:krbtgt
[krbtgt]
service = GeneralString:krbtgt
instance = GeneralString:${realm}
`,
  );
  const request = ['req', '-new', '-nodes', '-newkey', 'rsa:2048', '-config', at('openssl.cnf')];
  run('openssl', ...request, '-x509', '-extensions', 'ca', '-days', '2', '-subj', '/CN=KDC CA', ...files(at, 'kdc-ca'));
  run('openssl', ...request, '-subj', '/CN=kdc', '-keyout', at('kdc.key'), '-out', at('kdc.csr'));
  const ca = ['-CA', at('kdc-ca.pem'), '-CAkey', at('kdc-ca.key'), '-CAcreateserial', '-days', '2'];
  const extensions = ['-extfile', at('openssl.cnf'), '-extensions', 'kdc'];
  run('openssl', 'x509', '-req', '-in', at('kdc.csr'), ...ca, ...extensions, '-out', at('kdc.pem'));
}

const files = (at: At, name: string) => ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function listening(port: number, process: ChildProcess): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => socket.end(() => resolve(true)));
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    if (process.exitCode !== null) throw new Error(`krb5kdc ended with ${process.exitCode}`);
    if (Date.now() > deadline) throw new Error('krb5kdc does not listen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
