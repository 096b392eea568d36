import { relative } from 'node:path';
import type { EnrolledDevice } from './device.ts';
import type { System } from './system.ts';

/** What scripts read from run.json; part of the product's contract with them. */
export function runRecord(system: System, device: EnrolledDevice | null): unknown {
  return {
    url: system.url,
    tokens: system.tokens,
    operators: system.operators.map(({ name, role, password }) => ({ name, role, password })),
    device: device === null ? null : { tcti: device.tcti, store: device.store, pinFile: device.pinFile },
  };
}

/** What a person needs to go on. Passwords are shown on a terminal only, so that they get into no build log. */
export function summary(system: System, device: EnrolledDevice | null, terminal: boolean): string {
  const shown = (path: string) => {
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  const runFile = shown(system.data.runFile);
  const password = (text: string) => (terminal ? text : `password in ${runFile}`);
  const lines = [
    '',
    'Cardwright is running.',
    '',
    `  Console   ${system.url}`,
    '  Sign in   (user name, password)',
    ...system.operators.map((operator) => `              ${operator.name.padEnd(18)}${password(operator.password)}`),
    `  Scripts   ${system.url}/docs describes the API; tokens are in ${runFile}`,
    ...(device === null ? [] : deviceLines(device, shown)),
    `  Logs      ${shown(system.data.logs)}`,
    '  Stop      Ctrl-C; everything is kept for the next start',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function deviceLines(device: EnrolledDevice, shown: (path: string) => string): string[] {
  const agent = `npx cardwright-agent status --tpm ${device.tcti} --store ${shown(device.store)}`;
  return [`  Device    a software TPM with one card; its PIN is in ${shown(device.pinFile)}`, `              ${agent}`];
}
