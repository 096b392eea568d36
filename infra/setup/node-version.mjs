import { SetupError } from './report.mjs';

const LEAST = [20, 19];

export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  throw new SetupError(
    `Cardwright needs Node.js ${LEAST.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org/en/download`,
  );
}
