import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inRepository } from '../repository/root.ts';

const PACKAGE = 'cardwright-agent';
const MAINTAINER = 'Cardwright <cardwright@localhost>';
const HOMEPAGE_LINES = [
  ' Makes smart cards in the TPM of a computer, and uses, unblocks and destroys',
  ' them. The TPM enforces the rules of a card: not even root can try PINs beyond',
  ' the limit, use a key without the PIN, or copy it.',
  ' .',
  ' The agent is one file, and carries Node.js inside.',
];

export interface SingleFile {
  readonly executable: string;
  /** Of what others wrote in it, Node apart. */
  readonly notices: string;
}

/**
 * Lays the package out in `root`, as dpkg-deb takes it: the executable, and what it prints of itself (manual page,
 * completion), so that package and program can't disagree. Modes are set, whatever the umask.
 */
export function layOut(
  root: string,
  { executable, notices }: SingleFile,
): { readonly version: string; readonly architecture: string } {
  const version = say(executable, '--version').trim();
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  };
  const part = (name: string) => readFileSync(inRepository('infra', 'agent-package', 'debian', name));

  mkdirSync(join(root, 'usr', 'bin'), { recursive: true });
  cpSync(executable, join(root, 'usr', 'bin', PACKAGE));
  chmodSync(join(root, 'usr', 'bin', PACKAGE), 0o755);
  put(`usr/share/man/man1/${PACKAGE}.1.gz`, gzipSync(say(executable, 'manual'), { level: 9 }));
  put(`usr/share/bash-completion/completions/${PACKAGE}`, say(executable, 'completion', 'bash'));
  put(`usr/share/zsh/vendor-completions/_${PACKAGE}`, say(executable, 'completion', 'zsh'));
  put(`usr/share/fish/vendor_completions.d/${PACKAGE}.fish`, say(executable, 'completion', 'fish'));
  put(`usr/lib/systemd/system/${PACKAGE}.service`, part('cardwright-agent.service'));
  put(`usr/lib/systemd/user/${PACKAGE}.service`, part('cardwright-agent.user.service'));
  put(`usr/lib/sysusers.d/${PACKAGE}.conf`, part('sysusers.conf'));
  put(`usr/share/doc/${PACKAGE}/copyright`, copyright());
  put(`usr/share/doc/${PACKAGE}/THIRD-PARTY-NOTICES`, notices);
  put(`usr/share/doc/${PACKAGE}/NODE-LICENSE.gz`, gzipSync(nodeLicence(), { level: 9 }));
  for (const script of ['postinst', 'prerm', 'postrm']) put(`DEBIAN/${script}`, part(script), 0o755);
  put('DEBIAN/control', control(version, architecture, Math.ceil(bytesBelow(root) / 1024)));
  return { version, architecture };
}

/** Of what it says of itself; with nothing of the builder's environment but a path. */
const say = (executable: string, ...words: string[]): string =>
  execFileSync(executable, words, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' } });

function control(version: string, architecture: string, installedKib: number): string {
  return [
    `Package: ${PACKAGE}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${installedKib}`,
    // As the Node inside wants them, and what the scripts of the package call.
    'Depends: libc6 (>= 2.28), libstdc++6 (>= 6), libgcc-s1, passwd',
    // Gives /dev/tpmrm0 the group tss.
    'Recommends: tpm-udev',
    'Suggests: tpm2-tools, pcscd',
    'Section: admin',
    'Priority: optional',
    'Description: smart cards in the TPM of this computer',
    ...HOMEPAGE_LINES,
    '',
  ].join('\n');
}

function copyright(): string {
  const licence = readFileSync(inRepository('LICENSE'), 'utf8').trimEnd();
  return [
    `${PACKAGE} is under the Apache License 2.0, which follows. /usr/bin/${PACKAGE} also holds Node.js ${process.versions.node},`,
    'whose licence and those of its parts are in NODE-LICENSE.gz beside this file, and the packages whose notices are in',
    'THIRD-PARTY-NOTICES.',
    '',
    licence,
    '',
  ].join('\n');
}

/** Where Node's own packages put it; else where to find it. */
function nodeLicence(): string {
  const beside = [join(dirname(process.execPath), '..', 'LICENSE'), '/usr/share/doc/nodejs/LICENSE'];
  for (const path of beside) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // the next place
    }
  }
  return `Node.js ${process.versions.node}: https://github.com/nodejs/node/blob/v${process.versions.node}/LICENSE\n`;
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
