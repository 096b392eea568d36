import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Secret } from '@cardwright/protocol';
import { parseCertificate } from '@cardwright/protocol/attestation';
import type { AuthorityDescription, NameKind } from '../certificates/index.ts';
import { createCfssl } from './cfssl.tls.ts';
import { createEst } from './est.tls.ts';
import { createExchange, type TlsIdentity } from './exchange.tls.ts';
import type { PinnedChain } from './judge-answer.ts';
import { certificatesInPem } from './pem.ts';
import type { CaConnector } from './ports.ts';
import { type Command, createScript, revokeBy } from './script.process.ts';
import { type ConnectorSettings, parseConnectors, type TlsSettings } from './settings.ts';

const MOST_BYTES = 1024 * 1024;
/** What CFSSL's API takes: its names and no others (see cfssl.tls.ts). */
const CFSSL_NAMES: readonly NameKind[] = ['email', 'dnsNames'];

/**
 * The connectors of a configuration file, with all that it names read and looked at: a process starts with all of it right,
 * or does not start.
 * @throws Error that says what is wrong with which file; never what is in it.
 */
export function openConnectors(file: string): readonly CaConnector[] {
  // It names programs that run as us.
  demandNotWritable(file);
  return parseConnectors(read(file)).map(open);
}

function open(settings: ConnectorSettings): CaConnector {
  const common = { ...settings, description: describe(settings), pinned: pinnedIn(settings.issuers) };
  if (settings.kind === 'cfssl') {
    const { authenticationKeyFile: file } = settings;
    const authenticationKey = file === null ? null : Secret.take(Buffer.from(secretHex(file), 'hex'));
    return createCfssl({ ...common, url: settings.url, authenticationKey }, createExchange(identity(settings.tls)));
  }
  if (settings.kind === 'est') {
    const { login, revocation } = settings;
    const revoke =
      revocation === 'by-hand' ? undefined : revokeBy(program(revocation.command), settings.answerWithinMillis);
    const signIn = login === null ? null : { user: login.user, password: Secret.fromText(secret(login.passwordFile)) };
    const own = { url: settings.url, namesFrom: settings.namesFrom, login: signIn, revoke };
    const wait = async (millis: number, signal: AbortSignal) => {
      await pause(millis, undefined, { signal });
    };
    const time = { pause: wait, now: () => new Date() };
    return createEst({ ...common, ...own, ...time }, createExchange(identity(settings.tls)));
  }
  return createScript({
    ...common,
    issue: program(settings.issue),
    health: settings.health === null ? null : program(settings.health),
    revoke: settings.revocation === 'by-hand' ? null : program(settings.revocation.command),
  });
}

function describe(settings: ConnectorSettings): AuthorityDescription {
  const { name, kind, profiles } = settings;
  const byHand = kind !== 'cfssl' && settings.revocation === 'by-hand';
  return {
    name,
    kind,
    revocation: byHand ? 'by-hand' : 'immediate',
    hold: kind === 'script' && settings.hold,
    list: false,
    crl: false,
    profiles: Object.keys(profiles),
    names: kind === 'cfssl' ? CFSSL_NAMES : settings.names,
  };
}

function pinnedIn(file: string): PinnedChain {
  let certificates: Uint8Array[];
  try {
    certificates = certificatesInPem(read(file));
    const [issuing, ...above] = certificates.map((one) => parseCertificate(one));
    if (issuing === undefined || ![issuing, ...above].every(({ x509 }) => x509.ca))
      throw new Error('no CA certificate');
    return [issuing, ...above];
  } catch (cause) {
    throw new Error(`${file} must hold the certificates of the CA in PEM, who signs first, the root last`, { cause });
  }
}

function identity(tls: TlsSettings | null): TlsIdentity | null {
  if (tls === null) return null;
  const { clientCertificate: client } = tls;
  return {
    trust: read(tls.trust),
    certificate: client === null ? undefined : read(client.certificate),
    key: client === null ? undefined : secret(client.key),
  };
}

function program(command: readonly string[]): Command {
  const [path = '', ...args] = command;
  demandNotWritable(path);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new Error(`${path} can not be executed`, { cause });
  }
  return [path, ...args];
}

function read(file: string): string {
  try {
    if (statSync(file).size > MOST_BYTES) throw new Error('too large');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`${file} can not be read, or has more than ${MOST_BYTES} bytes`, { cause });
  }
}

/** Without the line end that editors leave. */
function secret(file: string): string {
  const text = read(file);
  if ((statSync(file).mode & 0o037) !== 0) {
    throw new Error(`${file} holds a secret: it must not be open to others (chmod 600)`);
  }
  return text.replace(/\r?\n$/, '');
}

function secretHex(file: string): string {
  const text = secret(file).trim();
  if (/^(?:[0-9a-fA-F]{2}){16,64}$/.test(text)) return text;
  throw new Error(`${file} must hold a key of CFSSL in hexadecimal, 16 to 64 bytes`);
}

function demandNotWritable(file: string): void {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) throw new Error(`${file} is not there`);
  if ((mode & 0o022) !== 0) throw new Error(`${file} must not be writable by others (chmod go-w)`);
}
