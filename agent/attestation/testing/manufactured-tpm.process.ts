import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseCertificate, type Trust } from '@cardwright/protocol/attestation';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';

export interface ManufacturedTpm extends SoftwareTpm {
  /** What a server knows that trusts this TPM's maker. */
  readonly trust: Trust;
}

/** A software TPM as its maker delivers it: with endorsement keys, their certificates, and a maker's CA of its own. */
export async function startManufacturedTpm(): Promise<ManufacturedTpm> {
  const tpm = await startSoftwareTpm('tcp', manufacture);
  const ca = ['swtpm-localca-rootca-cert.pem', 'issuercert.pem'].map((file) => {
    const pem = readFileSync(join(tpm.directory, 'maker-ca', file));
    return parseCertificate(new Uint8Array(new X509Certificate(pem).raw));
  });
  const trust: Trust = { roots: ca, revocationLists: [], expired: 'refuse' };
  // `tcti` is a getter: the TPM may move when it is restarted.
  return Object.defineProperty(tpm, 'trust', { value: trust }) as ManufacturedTpm;
}

async function manufacture(directory: string): Promise<void> {
  const ca = join(directory, 'maker-ca');
  await mkdir(ca, { mode: 0o700 });
  const file = (name: string, ...lines: string[]) => {
    writeFileSync(join(directory, name), `${lines.join('\n')}\n`);
    return join(directory, name);
  };
  const options = file('ca.options', '--platform-manufacturer Test', '--platform-version 1', '--platform-model swtpm');
  const caConfig = file(
    'ca.conf',
    `statedir = ${ca}`,
    `signingkey = ${join(ca, 'signkey.pem')}`,
    `issuercert = ${join(ca, 'issuercert.pem')}`,
    `certserial = ${join(ca, 'certserial')}`,
  );
  const config = file(
    'setup.conf',
    'create_certs_tool = /usr/bin/swtpm_localca',
    `create_certs_tool_config = ${caConfig}`,
    `create_certs_tool_options = ${options}`,
  );
  const what = ['--create-ek-cert', '--lock-nvram', '--pcr-banks', 'sha256', '--overwrite'];
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', HOME: directory };
  await promisify(execFile)('swtpm_setup', ['--tpm2', '--tpmstate', directory, '--config', config, ...what], { env });
}
