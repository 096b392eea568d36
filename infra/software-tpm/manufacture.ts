import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@cardwright/protocol';

/** The environment of the swtpm tools: they look for one another and for openssl's tools in PATH. */
export const SWTPM_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' } as const;

/**
 * Makes a TPM 2.0 in `stateDir`, as its maker would: endorsement keys, their certificates and a platform certificate,
 * signed by a TPM maker's CA of this folder's own. Once: a TPM made again would be another TPM. It is made in a folder
 * beside and renamed, so that a crash half-way leaves nothing that looks like a TPM.
 * Error: `software-tpm-not-made` (unavailable).
 */
export async function manufacture(stateDir: string): Promise<void> {
  if (existsSync(join(stateDir, 'tpm2-00.permall'))) return;
  const unfinished = `${stateDir}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const makerCa = join(unfinished, 'maker-ca');
  mkdirSync(makerCa, { recursive: true, mode: 0o700 });
  const file = (name: string, lines: readonly string[]) => {
    const path = join(unfinished, name);
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    return path;
  };
  const caOptions = file('maker-ca.options', [
    '--platform-manufacturer Cardwright',
    '--platform-version 1',
    '--platform-model swtpm',
  ]);
  const caConfig = file('maker-ca.conf', [
    `statedir = ${makerCa}`,
    `signingkey = ${join(makerCa, 'signkey.pem')}`,
    `issuercert = ${join(makerCa, 'issuercert.pem')}`,
    `certserial = ${join(makerCa, 'certserial')}`,
  ]);
  const config = file('setup.conf', [
    'create_certs_tool = /usr/bin/swtpm_localca',
    `create_certs_tool_config = ${caConfig}`,
    `create_certs_tool_options = ${caOptions}`,
    'active_pcr_banks = sha256',
  ]);
  try {
    const what = ['--create-ek-cert', '--create-platform-cert', '--lock-nvram', '--pcr-banks', 'sha256', '--overwrite'];
    await promisify(execFile)('swtpm_setup', ['--tpm2', '--tpmstate', unfinished, '--config', config, ...what], {
      env: { ...SWTPM_ENVIRONMENT, HOME: unfinished, XDG_CONFIG_HOME: unfinished },
      timeout: 60_000,
    });
  } catch (cause) {
    const said = (cause as { code?: unknown }).code === 'ENOENT' ? 'swtpm_setup is not installed' : output(cause);
    throw new DomainError('unavailable', 'software-tpm-not-made', `A software TPM could not be made: ${said}`, {
      cause,
    });
  }
  rmSync(stateDir, { recursive: true, force: true });
  renameSync(unfinished, stateDir);
}

function output(cause: unknown): string {
  const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
  return `${stdout}${stderr}`.trim().split('\n').slice(-4).join(' / ') || String(cause);
}
