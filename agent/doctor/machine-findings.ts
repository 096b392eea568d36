import type { DeviceNode, Facts, MachineFacts } from './facts.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** What the operating system has to say of the way to the TPM. */
export function machineFindings({ machine }: Pick<Facts, 'machine'>): Finding[] {
  const { node } = machine;
  return [...(node === null ? [] : nodeFindings(machine, node)), managerFinding(machine)].filter(
    (finding) => finding !== undefined,
  );
}

function nodeFindings(machine: MachineFacts, node: DeviceNode): Finding[] {
  if (!node.exists) return [noNode(machine, node)];
  if (node.mayOpen) return [ok('access', `${node.path} may be opened by user ${machine.user}.`)];
  const advice =
    node.group === null
      ? 'Give the user a group that may open the file (usually tss), and sign in anew.'
      : `As root: usermod -aG ${node.group} ${machine.user}; then sign in anew.`;
  return [problem('access', `${node.path} may not be opened by user ${machine.user}.`, advice)];
}

function noNode({ kernelTpms }: MachineFacts, { path }: DeviceNode): Finding {
  const old = kernelTpms.find(({ family }) => family === '1');
  if (old !== undefined) {
    return problem(
      'access',
      `The TPM of this machine (${old.name}) is a TPM 1.2, which has no cards.`,
      'Some machines let the firmware settings change it to 2.0; else the machine needs another TPM.',
    );
  }
  const known = kernelTpms[0];
  if (known !== undefined) {
    return problem(
      'access',
      `The kernel knows a TPM (${known.name}), but ${path} is not there.`,
      'A kernel of 4.12 or later gives /dev/tpmrm0. In a container, the device has to be passed in.',
    );
  }
  return problem(
    'access',
    `There is no ${path}, and the kernel knows no TPM.`,
    'Switch the TPM on in the firmware settings (it may be called PTT, fTPM or security device); in a virtual machine, add one.',
  );
}

/** Only of use where something answers at all. */
function managerFinding({ managed, tcti, node }: MachineFacts): Finding | undefined {
  if (node !== null && !node.exists) return undefined;
  if (managed) return ok('resource-manager', 'The kernel shares the TPM between programs.');
  return warning(
    'resource-manager',
    `${tcti} has no resource manager: one program at a time, and each must clear up after itself.`,
    'On a real machine use device:/dev/tpmrm0.',
  );
}
