import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isDomainError } from '@cardwright/protocol';
import { parseTcti, type Tcti } from '../tpm/index.ts';
import type { DeviceNode, MachineFacts } from './facts.ts';

const KERNEL_TPMS = '/sys/class/tpm';
const GROUPS = '/etc/group';

/** What Linux says of the TPM at `tcti`. A text that is no TCTI has no node; opening it says what is wrong with it. */
export function machineFacts(tcti: string): MachineFacts {
  const where = parsed(tcti);
  const node = where?.kind === 'device' ? deviceNode(where.path) : null;
  return {
    tcti,
    node,
    kernelTpms: kernelTpms(),
    managed: node !== null && /tpmrm\d+$/.test(node.path),
    user: userName(),
  };
}

function parsed(tcti: string): Tcti | undefined {
  try {
    return parseTcti(tcti);
  } catch (error) {
    if (isDomainError(error)) return undefined;
    throw error;
  }
}

function deviceNode(path: string): DeviceNode {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return { path, exists: false, mayOpen: false, group: null };
  return { path, exists: true, mayOpen: mayOpen(path), group: groupName(stat.gid) };
}

function mayOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** group(5); a group of a directory service has no line there, and then no name here. */
function groupName(gid: number): string | null {
  const line = fileText(GROUPS)
    ?.split('\n')
    .find((entry) => entry.split(':')[2] === String(gid));
  return line?.split(':')[0] ?? null;
}

function kernelTpms(): MachineFacts['kernelTpms'] {
  try {
    return readdirSync(KERNEL_TPMS)
      .sort()
      .slice(0, 16)
      .map((name) => ({ name, family: fileText(`${KERNEL_TPMS}/${name}/tpm_version_major`)?.trim() ?? null }));
  } catch {
    return [];
  }
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A user id that no database knows (a container's, say) has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
