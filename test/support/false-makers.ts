import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Bytes = Uint8Array;
type OpenSsl = (...args: string[]) => Buffer;

export interface MakerCertificates {
  readonly expired: Bytes;
  readonly revoked: Bytes;
  readonly ofAnotherKey: Bytes;
  readonly forAnotherUse: Bytes;
  readonly untrusted: Bytes;
}

const TPM = 'subjectAltName=critical,dirName:tpm';
const NAMES = ['[tpm]', '1.2.23.133.2.1=id:49465800', '2.2.23.133.2.2=SLB9672', '3.2.23.133.2.3=id:0F15'];
const EK = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,keyAgreement',
  'extendedKeyUsage=2.23.133.8.1',
  TPM,
];
const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash'];

/**
 * A TPM maker of the tests' own, trusted by `rootsDir`, whose certificates of the endorsement key in `genuine` are each
 * wrong in one way; and his list of revoked ones. openssl works in `folder`.
 */
export function makerCertificates(
  openssl: OpenSsl,
  folder: string,
  rootsDir: string,
  genuine: Bytes,
): MakerCertificates {
  const path = (name: string) => join(folder, name);
  const newKey = (name: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384', '-out', `${name}.key`);
  for (const name of ['maker', 'stranger', 'any']) newKey(name);
  writeFileSync(path('ek.pub.pem'), new X509Certificate(genuine).publicKey.export({ type: 'spki', format: 'pem' }));
  openssl('req', '-new', '-key', 'any.key', '-subj', '/CN=an endorsement key', '-out', 'any.csr');
  for (const name of ['maker', 'stranger']) {
    writeFileSync(path(`${name}.ext`), ['[all]', ...CA].join('\n'));
    openssl('req', '-new', '-key', `${name}.key`, '-subj', '/CN=a maker of TPMs', '-out', `${name}.csr`);
    const by = ['-signkey', `${name}.key`, '-extfile', `${name}.ext`, '-extensions', 'all'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`, '-days', '30');
  }
  const certify = (issuer: string, serial: string, extensions: string[], more: string[] = []): Bytes => {
    writeFileSync(path('ek.ext'), ['[all]', ...extensions, ...NAMES].join('\n'));
    const by = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-set_serial', serial];
    const what = ['-in', 'any.csr', '-extfile', 'ek.ext', '-extensions', 'all', '-outform', 'der', '-out', 'ek.der'];
    openssl(
      'x509',
      '-req',
      ...what,
      ...by,
      ...(more.includes('own-key') ? [] : ['-force_pubkey', 'ek.pub.pem']),
      ...days(more),
    );
    return new Uint8Array(readFileSync(path('ek.der')));
  };
  const days = (more: string[]) => (more.includes('expired') ? ['-days', '0'] : ['-days', '30']);

  const certificates: MakerCertificates = {
    expired: certify('maker', '0x11', EK, ['expired']),
    revoked: certify('maker', '0x12', EK),
    ofAnotherKey: certify('maker', '0x13', EK, ['own-key']),
    forAnotherUse: certify('maker', '0x14', [...EK.slice(0, 2), 'extendedKeyUsage=2.23.133.8.3', TPM]),
    untrusted: certify('stranger', '0x15', EK),
  };
  writeFileSync(path('index.txt'), 'R\t300101000000Z\t260101000000Z\t12\tunknown\t/CN=x\n');
  writeFileSync(path('ca.conf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n');
  openssl(
    'ca',
    '-gencrl',
    '-config',
    'ca.conf',
    '-keyfile',
    'maker.key',
    '-cert',
    'maker.pem',
    '-crldays',
    '30',
    '-out',
    'maker.crl',
  );
  copyFileSync(path('maker.pem'), join(rootsDir, 'maker.pem'));
  copyFileSync(path('maker.crl'), join(rootsDir, 'maker.crl'));
  return certificates;
}
