/** Says each step on a line of its own as it begins, and at the line's end how it went and how long it took. */
export function beginStep(name: string): (outcome?: string) => void {
  const started = performance.now();
  process.stdout.write(`  ${name} … `);
  return (outcome) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${outcome === undefined || outcome === '' ? 'done' : outcome} (${seconds} s)\n`);
  };
}
