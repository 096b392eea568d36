import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULES = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'];

/** A SoftHSM token of its own. */
export interface SoftToken {
  readonly module: string;
  readonly tokenLabel: string;
  readonly pinFile: string;
  /** For SOFTHSM2_CONF: the library finds its tokens by it. */
  readonly configuration: string;
  /** What a vault process needs to use it. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes the token out of its slot, and puts it back. */
  unplug(): void;
  plug(): void;
  remove(): void;
}

export const PIN = '271828';

export function softToken(label = 'cardwright test'): SoftToken {
  const module = MODULES.find((path) => existsSync(path));
  if (module === undefined) throw new Error('SoftHSM is not installed: apt-get install softhsm2');
  const directory = mkdtempSync(join(tmpdir(), 'cw-token-'));
  const [tokens, away] = [join(directory, 'tokens'), join(directory, 'away')];
  mkdirSync(tokens);
  const configuration = join(directory, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const pinFile = join(directory, 'pin');
  writeFileSync(pinFile, `${PIN}\n`, { mode: 0o600 });
  const env = { ...process.env, SOFTHSM2_CONF: configuration };
  const init = ['--init-token', '--free', '--label', label, '--so-pin', '314159', '--pin', PIN];
  execFileSync('softhsm2-util', init, { env, stdio: 'pipe' });
  return {
    module,
    tokenLabel: label,
    pinFile,
    configuration,
    env: {
      SOFTHSM2_CONF: configuration,
      VAULT_PKCS11_MODULE: module,
      VAULT_PKCS11_TOKEN_LABEL: label,
      VAULT_PKCS11_PIN_FILE: pinFile,
    },
    unplug: () => {
      renameSync(tokens, away);
      mkdirSync(tokens);
    },
    plug: () => {
      rmSync(tokens, { recursive: true, force: true });
      renameSync(away, tokens);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
