import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { inRepository } from '@cardwright/infra';
import { expect, it } from 'vitest';
import { run } from '../../support/run.ts';

const MODULE = pathToFileURL(inRepository('services', 'cms', 'dist', 'platform', 'log.pino.js')).href;
const program = (body: string) => [
  '--input-type=module',
  '-e',
  `import { createLogger } from ${JSON.stringify(MODULE)}; const log = createLogger('info'); ${body}`,
];
const messages = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

it('loses no line of a process that ends in the same turn, in whatever way', async () => {
  const lines = Array.from({ length: 1000 }, (_, n) => `line ${n}`);
  const logAll = `for (let n = 0; n < ${lines.length}; n++) log.info('line ' + n);`;
  for (const [end, exitCode] of [
    ['', 0],
    ['process.exit(3);', 3],
    [`throw new Error('unforeseen');`, 1],
  ] as const) {
    const ran = await run(process.execPath, program(`${logAll} ${end}`));
    expect(ran.exitCode).toBe(exitCode);
    expect(messages(ran.stdout)).toEqual(lines);
  }
});

it('goes on when nobody reads the log any more', async () => {
  const child = spawn(
    process.execPath,
    program(`let n = 0;
      const timer = setInterval(() => { log.info('line'); if (++n === 20) { clearInterval(timer); console.error('done'); } }, 5);`),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stdout.destroy();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, said }).toEqual({ code: 0, said: 'done\n' });
});
