import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateReader } from '../certificates/reader.x509.ts';
import { certificatesFrom, judgeAnswer } from './judge-answer.ts';
import { NotAsked } from './not-asked.ts';
import { openConnectors } from './open-connectors.file.ts';
import type { CaConnector } from './ports.ts';
import { createOpensslCa, type OpensslCa, orderOf } from './testing/openssl-ca.ts';

let ca: OpensslCa;
let folder: string;
let csr: Uint8Array;

beforeAll(() => {
  ca = createOpensslCa();
  folder = mkdtempSync(join(tmpdir(), 'cardwright-script-'));
  csr = ca.request('/CN=placeholder');
});
afterAll(() => {
  ca.remove();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  return path;
}
const script = (name: string, ...lines: string[]) => file(name, `#!/bin/bash\n${lines.join('\n')}\n`, 0o755);

function connector(issue: readonly string[], more: object = {}): CaConnector {
  const settings = {
    ...{ kind: 'script', name: 'by-script', issuers: ca.certificateFile, profiles: { 'tls-client': 'CardUser' } },
    ...{ issue, names: ['email'], revokeByHand: true, answerWithinSeconds: 5, giveUpAfterSeconds: 5, ...more },
  };
  const [made] = openConnectors(file('connectors.json', JSON.stringify({ connectors: [settings] }), 0o600));
  if (made === undefined) throw new Error('no connector');
  return made;
}
const ask = (made: CaConnector, order = orderOf(csr)) => made.enrol(order, AbortSignal.timeout(5000));
const code = (value: string) => expect.objectContaining({ code: value });

describe('a program as a CA', () => {
  it('gets the request and the order, and what it prints is the certificate', async () => {
    const issue = script(
      'issue.sh',
      `cd "$1" && cat > script.csr && openssl req -in script.csr -pubkey -noout > script.pub`,
      `echo "$CARDWRIGHT_REQUEST" > order.json; env | cut -d= -f1 | sort > environment`,
      `printf 'basicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\nextendedKeyUsage=clientAuth\\n' > e`,
      `echo "subjectAltName=email:$(grep -o '"email":"[^"]*"' order.json | cut -d'"' -f4)" >> e`,
      `openssl x509 -new -force_pubkey script.pub -subj "/CN=Mary Major" -days 10 -CA ca.pem -CAkey ca.key -extfile e`,
    );
    const made = connector([issue, ca.folder]);
    const order = orderOf(csr, { subject: { commonName: 'Mary Major' } });
    const [leaf] = certificatesFrom(await ask(made, order), made.pinned);
    if (leaf === undefined) throw new Error('no certificate');
    judgeAnswer(leaf, order, createCertificateReader().publicKeyOf(csr), made.pinned, new Date());
    expect(JSON.parse(readFileSync(join(ca.folder, 'order.json'), 'utf8'))).toEqual({
      ...{ act: 'issue', requestId: 'request-1', kind: 'tls-client', profile: 'CardUser', validitySeconds: 864_000 },
      ...{ subject: order.subject, subjectAltName: order.subjectAltName, securityIdentifier: null },
    });
    // Nothing of ours is there for it to read: no database URL, no secret.
    const variables = readFileSync(join(ca.folder, 'environment'), 'utf8').split('\n').filter(Boolean);
    expect(variables.filter((name) => !['_', 'PWD', 'OLDPWD', 'SHLVL'].includes(name))).toEqual([
      'CARDWRIGHT_REQUEST',
      'PATH',
    ]);
  });

  it('runs no shell over what is in an order', async () => {
    const echo = script('echo.sh', `touch "$1/ran"; exit 65`);
    const order = orderOf(csr, { subject: { commonName: '$(touch pwned); `id`' } });
    await expect(ask(connector([echo, folder]), order)).rejects.toEqual(code('ca-refused'));
    expect(() => readFileSync(join(folder, 'ran'))).not.toThrow();
    expect(() => readFileSync('/pwned')).toThrow();
  });

  it.each([
    ['refuses', 'exit 65', 'ca-refused'],
    ['fails', 'exit 1', 'ca-unavailable'],
    ['is killed', 'kill -9 $$', 'ca-unavailable'],
    ['prints nothing', 'exit 0', 'ca-answer-malformed'],
    [
      'prints a key',
      `echo '-----BEGIN PRIVATE KEY-----'; echo AAAA; echo '-----END PRIVATE KEY-----'`,
      'ca-answer-malformed',
    ],
    ['prints without end', 'exec cat /dev/zero', 'ca-answer-too-large'],
  ])('that %s', async (what, line, refusal) => {
    await expect(ask(connector([script(`${what.replaceAll(' ', '-')}.sh`, line)]))).rejects.toEqual(code(refusal));
  });

  it('that could not ask is known not to have asked', async () => {
    await expect(ask(connector([script('away.sh', 'exit 69')]))).rejects.toBeInstanceOf(NotAsked);
  });

  it('that does not end is ended, with all that it started', async () => {
    const slow = script('slow.sh', `sleep 300 & echo $! > "$1/child"`, 'wait');
    const asked = connector([slow, folder]).enrol(orderOf(csr), AbortSignal.timeout(700));
    await expect(asked).rejects.toEqual(code('ca-unavailable'));
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    await expect.poll(() => alive(child)).toBe(false);
  });

  it('revokes by another program, told why', async () => {
    const revoke = script('revoke.sh', `cat > "$1/revoked.pem"; echo "$CARDWRIGHT_REQUEST" > "$1/why.json"`);
    const made = connector([revoke], { revoke: [revoke, folder], revokeByHand: undefined });
    const revokedAt = new Date('2026-11-20T09:00:00Z');
    const certificate = new Uint8Array(ca.certificate.raw);
    await made.revoke?.({
      certificate,
      serialNumber: '0a',
      reason: 'keyCompromise',
      revokedAt,
      invalidityDate: undefined,
    });
    expect(readFileSync(join(folder, 'revoked.pem'), 'utf8').replace(/\s/g, '')).toBe(
      readFileSync(ca.certificateFile, 'utf8').replace(/\s/g, ''),
    );
    expect(JSON.parse(readFileSync(join(folder, 'why.json'), 'utf8'))).toEqual({
      ...{
        act: 'revoke',
        serialNumber: '0a',
        reason: 'keyCompromise',
        revokedAt: revokedAt.toISOString(),
        invalidityDate: null,
      },
    });
    expect(connector([revoke]).revoke).toBeUndefined();
  });

  it('is there when its health command says so', async () => {
    const yes = script('yes.sh', 'exit 0');
    await expect(connector([yes], { health: [yes] }).probe()).resolves.toBeUndefined();
    await expect(connector([yes], { health: [script('no.sh', 'exit 1')] }).probe()).rejects.toEqual(
      code('ca-unavailable'),
    );
  });
});

describe('files of the configuration', () => {
  const program = () => script('program.sh', 'exit 0');

  it.each<[string, () => unknown, RegExp]>([
    [
      'a program that others may write',
      () => connector([writable(script('open.sh', 'exit 0'))]),
      /open.sh must not be writable by others/,
    ],
    ['a program that is not there', () => connector(['/nonexistent/program']), /\/nonexistent\/program is not there/],
    ['a program that does not run', () => connector([file('plain.txt', 'x', 0o644)]), /plain.txt can not be executed/],
    [
      'no certificates of the CA',
      () => connector([program()], { issuers: file('empty.pem', '', 0o644) }),
      /empty.pem must hold the certificates of the CA/,
    ],
    [
      'a certificate that is no CA’s',
      () => connector([program()], { issuers: leafFile() }),
      /leaf.pem must hold the certificates of the CA/,
    ],
    [
      'a file of connectors that others may write',
      () => openConnectors(writable(file('open.json', '{"connectors":[]}', 0o600))),
      /open.json must not be writable by others/,
    ],
    ['a secret that others may read', () => est(file('password', 'pw', 0o644)), /password holds a secret/],
  ])('%s is refused at start', (_what, open, said) => {
    expect(open).toThrow(said);
  });

  it('a secret that is nobody else’s is taken, and never told', () => {
    const path = file('own-password', 'pw-of-est', 0o600);
    expect(JSON.stringify(est(path))).not.toContain('pw-of-est');
  });
});

function est(passwordFile: string): readonly CaConnector[] {
  const settings = {
    ...{ kind: 'est', name: 'est', url: 'https://est.example', trust: ca.certificateFile, issuers: ca.certificateFile },
    ...{ namesFrom: 'ca', names: [], profiles: { device: '' }, revokeByHand: true, login: { user: 'u', passwordFile } },
  };
  return openConnectors(file('est.json', JSON.stringify({ connectors: [settings] }), 0o600));
}

function leafFile(): string {
  const leaf = ca.issue(createCertificateReader().publicKeyOf(csr), { subject: '/CN=x', extensions: [] });
  return file('leaf.pem', ca.openssl(['x509', '-inform', 'DER'], leaf).toString(), 0o644);
}

function writable(path: string): string {
  chmodSync(path, 0o777);
  return path;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
