/** Says what the set-up does, a step at a time, with the time it took. Plain JavaScript: runs before anything is installed. */
export async function step(name, work) {
  const started = performance.now();
  process.stdout.write(`  ${name} … `);
  const outcome = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${outcome ?? 'done'} (${seconds} s)\n`);
  return outcome;
}

/** An error that is for the person to read: no stack. */
export class SetupError extends Error {}

/** Runs an entry point: a SetupError is shown as it is, anything else with its stack. Sets the exit code. */
export async function runEntry(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    process.stderr.write(`\n${error instanceof SetupError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  }
}
