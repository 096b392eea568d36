import { isDomainError } from '@cardwright/protocol';
import { pino } from 'pino';
import { runAudit } from './audit/audit-command.file.ts';
import { faultsOf } from './commands/key-work.cli.ts';
import { isCommand, runCommand, USAGE } from './commands/run.cli.ts';
import { readConfig } from './config.env.ts';
import { switchOffCoreDumps } from './core-dumps.linux.ts';
import { refuseInspector } from './inspector-guard.node.ts';
import { readLimits } from './limits/limits.env.ts';
import { readCheckpointPath } from './record/record.env.ts';
import { startVault } from './start.socket.ts';

/**
 * `node services/vault/dist/main.js`, see USAGE. Exit status: 0 ended by a signal, or the command is done; 1 could not
 * start or run, or the command was refused; 2 usage.
 */
const log = pino({ name: 'vault', base: { pid: process.pid } });

/** Only these of an error: others might carry a row, a query's values or what a caller sent. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const { code } = error as { code?: unknown };
  const cause = error.cause instanceof Error ? { cause: describe(error.cause) } : {};
  return { error: error.name, code: typeof code === 'string' ? code : undefined, message: error.message, ...cause };
}

function die(error: unknown): never {
  const what = isDomainError(error) ? error.detail : 'the vault failed';
  log.fatal(describe(error), what);
  process.exit(1);
}

process.on('uncaughtException', die);
process.on('unhandledRejection', die);

const args = process.argv.slice(2);
// Reads two records and no key; its exit status is its answer.
if (args[0] === 'audit') {
  process.exit(await runAudit(args.slice(1), process.env, (line) => process.stdout.write(`${line}\n`)));
}
refuseInspector();
switchOffCoreDumps();
if (isCommand(args[0])) process.exit(await runCommand(args[0], args.slice(1), process.env));
if (args.some((arg) => arg !== '--init') || args.length > 1) {
  log.fatal(USAGE);
  process.exit(2);
}

const config = readConfig(process.env);

const vault = await startVault({
  ...config,
  init: args.includes('--init'),
  checkpointFile: readCheckpointPath(process.env),
  limits: readLimits(process.env),
  faults: faultsOf(process.env),
  onAlert: (code, { sequence, use }) =>
    log.warn(
      { code, sequence: String(sequence), operation: use.operation, cardId: use.cardId, requestedBy: use.requestedBy },
      'an alert: somebody should look into this',
    ),
  onError: (error, operation) => log.error({ operation, ...describe(error) }, 'an operation failed'),
});
log.info({ socket: config.socketPath }, 'the vault serves');

let ending = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'the vault ends');
    vault.close().then(() => process.exit(0), die);
  });
}
