import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaInstallation,
  caInstallation,
  makeCsr,
  openssl,
  order,
  PUBLIC_URL,
  program,
  writePem,
} from './ca-process.ts';

let ca: CaInstallation;
beforeAll(async () => {
  ca = await caInstallation();
  await ca.start();
});
afterAll(() => ca.dispose());

const refusal = (kind: string, code: string) => expect.objectContaining({ kind, code });

describe('a certificate of the sign-in profile', () => {
  it.each([
    ['P-256', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384']],
    ['RSA 2048', ['rsa:2048']],
    ['RSA 4096', ['rsa:4096', '-sha512']],
  ])('for %s passes openssl and GnuTLS', async (name, newKey) => {
    const csr = await makeCsr(ca.folder, ...newKey);
    const issued = await ca.client.issue(order(`key-${name.replace(' ', '-')}`, csr));
    const [issuing, root] = issued.chain;
    const leafFile = await writePem(join(ca.folder, 'leaf.pem'), 'CERTIFICATE', issued.certificate);
    const rootFile = await writePem(join(ca.folder, 'root.pem'), 'CERTIFICATE', root);
    const issuingFile = await writePem(join(ca.folder, 'issuing.pem'), 'CERTIFICATE', issuing);
    const verified = await program('openssl', [
      'verify',
      '-x509_strict',
      '-CAfile',
      rootFile,
      '-untrusted',
      issuingFile,
      leafFile,
    ]);
    expect(verified).toEqual({ code: 0, output: `${leafFile}: OK\n` });
    const chainFile = await writePem(join(ca.folder, 'chain.pem'), 'CERTIFICATE', issued.certificate, issuing, root);
    const gnutls = await program('certtool', ['--verify-chain', '--infile', chainFile]);
    expect(gnutls.output).toContain('Chain verification output: Verified. The certificate is trusted.');
    expect(gnutls.code).toBe(0);
  });

  it('says what real servers ask for, and nothing of what the request asked for', async () => {
    const issued = await ca.client.issue(order('says', await makeCsr(ca.folder)));
    const certificate = new X509Certificate(Buffer.from(issued.certificate, 'base64url'));
    expect(certificate.subject).toBe('CN=Alice Adams');
    expect(certificate.serialNumber.toLowerCase()).toBe(issued.serialNumber);
    expect(issued.serialNumber).toMatch(/^[0-9a-f]{32}$/);
    expect(new Date(certificate.validTo).toISOString()).toBe(issued.notAfter);
    expect(new Date(certificate.validFrom).toISOString()).toBe(issued.notBefore);
    const file = await writePem(join(ca.folder, 'says.pem'), 'CERTIFICATE', issued.certificate);
    const text = await openssl('x509', '-in', file, '-noout', '-text');
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(
      /Extended Key Usage: \s*TLS Web Client Authentication, Microsoft Smartcard Login, PKINIT Client Auth/,
    );
    expect(text).toContain(`OCSP - URI:${PUBLIC_URL}/pki/ocsp`);
    expect(text).toContain(`CA Issuers - URI:${PUBLIC_URL}/pki/issuing.cer`);
    expect(text).toContain(`URI:${PUBLIC_URL}/pki/issuing.crl`);
    expect(text).toContain('email:alice.adams@corp.example');
    expect(text).toContain('othername: UPN::alice@corp.example');
    expect(Buffer.from(issued.certificate, 'base64url').includes(await kerberosNameByOpenssl())).toBe(true);
  });
});

/** KRB5PrincipalName by the recipe of MIT's PKINIT page: what openssl makes of it must be what we wrote. */
async function kerberosNameByOpenssl(): Promise<Buffer> {
  const [recipe, out] = [join(ca.folder, 'krb5.cnf'), join(ca.folder, 'krb5.der')];
  await writeFile(
    recipe,
    `asn1=SEQUENCE:name
[name]
realm=EXP:0,GeneralString:CORP.EXAMPLE
principal=EXP:1,SEQUENCE:principal
[principal]
type=EXP:0,INTEGER:1
string=EXP:1,SEQUENCE:parts
[parts]
part=GeneralString:alice
`,
  );
  await openssl('asn1parse', '-genconf', recipe, '-noout', '-out', out);
  return readFile(out);
}

describe('a request id', () => {
  it('gets one certificate, however often and however many at once ask', async () => {
    const wanted = order('twenty', await makeCsr(ca.folder));
    const answers = await Promise.all(Array.from({ length: 20 }, () => ca.client.issue(wanted)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await ca.client.find({ requestId: 'twenty' })).toEqual(answers[0]);
    const { rows } = await ca.owner.query("SELECT state FROM ca.certificates WHERE request_id = 'twenty'");
    expect(rows).toEqual([{ state: 'issued' }]);
  });

  it('is refused for another request, and the first stays', async () => {
    const first = await ca.client.issue(order('reused', await makeCsr(ca.folder)));
    const another = order('reused', await makeCsr(ca.folder));
    await expect(ca.client.issue(another)).rejects.toEqual(refusal('conflict', 'request-id-reused'));
    expect(await ca.client.find({ requestId: 'reused' })).toEqual(first);
  });

  it('is refused for the same key in another name', async () => {
    const csr = await makeCsr(ca.folder);
    await ca.client.issue(order('renamed', csr));
    const other = order('renamed', csr, { subjectAltName: { userPrincipalName: 'administrator@corp.example' } });
    await expect(ca.client.issue(other)).rejects.toEqual(refusal('conflict', 'request-id-reused'));
  });

  it('under which somebody put a body into the database gets nothing signed', async () => {
    const csr = await makeCsr(ca.folder);
    await ca.client.issue(order('forged-from', csr));
    const administrator = { subject: { commonName: 'Administrator' } };
    const another = await ca.client.issue(order('forged-of', csr, administrator));
    const mine = await ca.client.issue(order('forged-mine', csr));
    const bodies = [another, mine].map(({ certificate }) => bodyOf(Buffer.from(certificate, 'base64url')));
    // Another name; and the right names under a serial number that the row does not have.
    for (const [at, body] of bodies.entries()) {
      await ca.owner.query(
        `INSERT INTO ca.certificates
           (serial_number, request_id, request_sha256, issuer, profile, state, body, not_before, not_after)
         SELECT $1, $2, request_sha256, issuer, profile, 'proposed', $3, not_before, not_after
         FROM ca.certificates WHERE request_id = 'forged-from'`,
        [Buffer.alloc(16, 0x70 + at), `forged-${at}`, body],
      );
      await expect(ca.client.issue(order(`forged-${at}`, csr))).rejects.toEqual(refusal('internal', 'internal'));
      expect(await ca.client.find({ requestId: `forged-${at}` })).toBeNull();
    }
    await ca.kill('SIGTERM');
    await ca.start();
    await until({ what: 'the start to tell of them', seconds: 30 }, () => ca.log().includes('"requestId":"forged-1"'));
    const { rows } = await ca.owner.query(
      "SELECT state FROM ca.certificates WHERE request_id IN ('forged-0', 'forged-1')",
    );
    expect(rows).toEqual([{ state: 'proposed' }, { state: 'proposed' }]);
  });

  it('that was never used finds nothing', async () => {
    expect(await ca.client.find({ requestId: 'never' })).toBeNull();
  });
});

/** The body of a certificate of 256 bytes and more: what follows the outer header. */
const bodyOf = (certificate: Buffer): Buffer => certificate.subarray(4, 8 + certificate.readUInt16BE(6));

describe('a CSR', () => {
  const refused = async (name: string, csr: Buffer, code: string) => {
    await expect(ca.client.issue(order(`refused-${name}`, csr))).rejects.toEqual(refusal('unprocessable', code));
    const { rowCount } = await ca.owner.query('SELECT 1 FROM ca.certificates WHERE request_id = $1', [
      `refused-${name}`,
    ]);
    expect(rowCount).toBe(0);
  };

  it.each([
    ['RSA 1024', ['rsa:1024']],
    ['RSA 4104', ['rsa:4104']],
    ['P-224', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-224']],
    ['secp256k1', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1']],
    ['Ed25519', ['ed25519']],
    ['explicit curve parameters', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit']],
  ])('for %s is refused', async (name, newKey) => {
    await refused(name.replaceAll(/\W/g, ''), await makeCsr(ca.folder, ...newKey), 'csr-key-not-allowed');
  });

  it('with a signature that was tampered with is refused', async () => {
    const csr = await makeCsr(ca.folder);
    csr[csr.length - 1] = (csr.at(-1) ?? 0) ^ 1;
    await refused('signature', csr, 'csr-signature-invalid');
  });

  it('with the key of another is refused', async () => {
    const [mine, theirs] = [await makeCsr(ca.folder), await makeCsr(ca.folder)];
    // Both P-256 in the same words: the 65 bytes of the point stand at the same place.
    const at = mine.indexOf(Buffer.from('034200', 'hex')) + 3;
    theirs.copy(mine, at, at, at + 65);
    await refused('swapped', mine, 'csr-signature-invalid');
  });

  it('signed with SHA-1 is refused', async () => {
    await refused('sha1', await makeCsr(ca.folder, 'rsa:2048', '-sha1'), 'csr-signature-invalid');
  });

  it('that is something else is refused as malformed, at once', async () => {
    const deep = nested(100_000);
    const bad: [string, Buffer][] = [
      ['garbage', Buffer.from('not DER at all')],
      ['empty-sequence', Buffer.from('3000', 'hex')],
      ['deep', deep],
      ['half-mebibyte', Buffer.alloc(600_000, 0x30)],
      ['trailing', Buffer.concat([await makeCsr(ca.folder), Buffer.from([0])])],
    ];
    for (const [name, csr] of bad) await refused(name, csr, 'csr-malformed');
  });

  it('of 1 MiB never gets as far as the CA', async () => {
    const wanted = order('mebibyte', Buffer.alloc(1_048_576, 0x30));
    await expect(ca.client.issue(wanted)).rejects.toEqual(refusal('unprocessable', 'link-frame-too-large'));
  });
});

/** SEQUENCEs in each other, with right lengths. */
function nested(depth: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < depth; level += 1) {
    const bytes = length < 0x80 ? [length] : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
    const header = Buffer.from([0x30, ...bytes]);
    parts.push(header);
    length += header.length;
  }
  return Buffer.concat(parts.reverse());
}

describe('what is asked for', () => {
  it.each([
    ['validity', { validitySeconds: 60 * 86_400 * 366 }, 'unprocessable', 'validity-too-long'],
    ['seconds', { validitySeconds: 0.5 }, 'invalid', 'field-invalid'],
    ['profile', { profile: 'root' }, 'invalid', 'field-invalid'],
    ['prototype', { profile: '__proto__' }, 'invalid', 'field-invalid'],
    ['long-name', { subject: { commonName: 'x'.repeat(65) } }, 'invalid', 'field-invalid'],
    ['control', { subject: { commonName: 'Alice\nBob' } }, 'invalid', 'field-invalid'],
    ['slash', { subjectAltName: { userPrincipalName: 'alice/admin@corp.example' } }, 'invalid', 'field-invalid'],
    ['two-at', { subjectAltName: { userPrincipalName: 'a@b@corp.example' } }, 'invalid', 'field-invalid'],
    ['email', { subjectAltName: { email: 'ä@corp.example' } }, 'invalid', 'field-invalid'],
    ['unknown', { isCa: true }, 'invalid', 'field-invalid'],
  ])('is judged: %s', async (name, changes, kind, code) => {
    const wanted = { ...order(`judged-${name}`, await makeCsr(ca.folder)), ...changes } as ReturnType<typeof order>;
    await expect(ca.client.issue(wanted)).rejects.toEqual(refusal(kind, code));
  });
});
