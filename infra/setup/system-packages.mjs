import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './command.mjs';
import { SetupError, step } from './report.mjs';

/** A package of Debian, and the file that shows that it is there. */
const DEVICE = [
  { package: 'swtpm', program: 'swtpm' },
  { package: 'swtpm-tools', program: 'swtpm_setup' },
];
const TESTS = [
  ...DEVICE,
  { package: 'tpm2-tools', program: 'tpm2_getcap' },
  { package: 'libtss2-tcti-swtpm0', library: 'libtss2-tcti-swtpm.so.0' },
  { package: 'openssl', program: 'openssl' },
  { package: 'gnutls-bin', program: 'certtool' },
  { package: 'softhsm2', program: 'softhsm2-util' },
  { package: 'g++', program: 'g++' },
  { package: 'chromium', program: 'chromium' },
  { package: 'pcscd', program: 'pcscd' },
  { package: 'vsmartcard-vpcd', library: 'pcsc/drivers/serial/libifdvpcd.so' },
  { package: 'opensc', program: 'gids-tool' },
  { package: 'golang-cfssl', program: 'cfssl' },
  { package: 'libnss3-tools', program: 'crlutil' },
  { package: 'krb5-kdc', program: 'krb5kdc' },
  { package: 'krb5-pkinit', library: 'krb5/plugins/preauth/pkinit.so' },
  { package: 'krb5-user', program: 'kinit' },
];

/** What the bench measures the card beside. */
const PEER = [
  ...DEVICE,
  { package: 'tpm2-tools', program: 'tpm2_getcap' },
  { package: 'openssl', program: 'openssl' },
  { package: 'g++', program: 'g++' },
  { package: 'gnutls-bin', program: 'certtool' },
  { package: 'opensc', program: 'pkcs11-tool' },
  { package: 'dbus', program: 'dbus-daemon' },
  { package: 'tpm2-abrmd', program: 'tpm2-abrmd' },
  { package: 'libtss2-tcti-tabrmd0', library: 'libtss2-tcti-tabrmd.so.0' },
  { package: 'libtpm2-pkcs11-1', library: 'libtpm2_pkcs11.so.1' },
  { package: 'libtpm2-pkcs11-tools', program: 'tpm2_ptool' },
  { package: 'golang-cfssl', program: 'cfssl' },
];

/** Without these a test is skipped, and says so. */
const WELCOME = [{ package: 'docker-compose', program: 'docker-compose' }];

/** What `npm start` needs for its device. Gives false when it is not all there, after saying why and what to run. */
export function installDevicePackages() {
  return install(DEVICE);
}

/** What `npm run bench` measures beside. Gives false when it is not all there: then those rows are left out. */
export function installBenchPackages() {
  return install(PEER);
}

/** What the tests need. Error: what is missing and how to install it. */
export async function installTestPackages() {
  const root = process.getuid?.() === 0;
  if (await install(root ? [...TESTS, ...WELCOME] : TESTS)) return;
  throw new SetupError('The tests need the packages above. Nothing was run.');
}

async function install(wanted) {
  const missing = () => wanted.filter((entry) => !isThere(entry)).map((entry) => entry.package);
  const names = missing();
  if (names.length === 0) return true;
  const line = installLine(names);
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    process.stdout.write(`  Not installed: ${names.join(', ')}. To install:\n\n    ${line}\n\n`);
    return false;
  }
  await step(`Installing ${names.join(', ')}`, () => aptInstall(names));
  const still = missing();
  if (still.length > 0) throw new SetupError(`apt-get ended well, but ${still.join(', ')} is not there.`);
  return true;
}

function installLine(names) {
  return `sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}'`;
}

/** Waits for another apt or dpkg: an update that runs at start-up holds the locks for minutes on a fresh machine. */
async function aptInstall(names) {
  await apt(['update']);
  await apt(['install', '-y', '--no-install-recommends', ...names]);
}

async function apt(args) {
  const waitForLock = ['-o', 'DPkg::Lock::Timeout=60', '-o', 'Acquire::Retries=3', '-q'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  for (let attempt = 1; ; attempt += 1) {
    const { code, output } = await run('apt-get', [...waitForLock, ...args], { env });
    if (code === 0) return;
    // The lock of /var/lib/apt/lists has no time-out of its own.
    if (attempt < 12 && /Could not get lock|Unable to lock|is another process using it/.test(output)) {
      await delay(10_000);
      continue;
    }
    const end = output.trimEnd().split('\n').slice(-15).join('\n');
    throw new SetupError(`${end}\n\napt-get ${args.join(' ')} failed (code ${code}).`);
  }
}

function isThere({ program, library }) {
  if (program !== undefined) return onPath(program);
  const folders = ['/usr/lib', '/usr/lib64', '/lib', `/usr/lib/${multiarch()}`];
  return folders.some((folder) => existsSync(join(folder, library)));
}

function multiarch() {
  return { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch] ?? '';
}

function onPath(program) {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/bin${delimiter}/usr/sbin`.split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
