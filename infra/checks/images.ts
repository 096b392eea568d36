import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { inRepository } from '../repository/root.ts';
import { type ComposeFile, composeComplaints } from './compose-rules.ts';
import { dockerfileComplaints } from './dockerfile-rules.ts';
import { failed, fromComplaints, type Outcome, sum } from './outcome.ts';
import { runProgram } from './program.ts';

const DOCKERFILES = ['infra/images/node.Dockerfile', 'infra/images/console.Dockerfile'];

/** There is no Docker engine in the tests, so nothing is built: what can be read without one is checked. */
export async function checkImages(): Promise<Outcome> {
  const compose = parse(readFileSync(inRepository('docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile;
  const dockerfiles = DOCKERFILES.map((path) => ({ path, text: readFileSync(inRepository(path), 'utf8') }));
  const exists = (path: string) => existsSync(inRepository(path));
  const rules = fromComplaints({
    ...composeComplaints(compose, dockerfiles),
    ...Object.fromEntries(
      dockerfiles.map(({ path, text }) => [`${path} keeps to the rules`, dockerfileComplaints(text, exists)]),
    ),
  });
  return sum([rules, await checkWithCompose()]);
}

/** Compose's own reading of the file, by Debian's docker-compose or a Docker plug-in. */
async function checkWithCompose(): Promise<Outcome> {
  const name = 'docker compose reads docker-compose.yml';
  for (const [command, ...args] of [['docker-compose'], ['docker', 'compose']] as const) {
    try {
      const { code, stderr } = await runProgram(command, [...args, 'config', '-q']);
      return code === 0 ? fromComplaints({ [name]: [] }) : failed(`${name}: ${stderr}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  const why = 'docker compose is not installed (apt-get install docker-compose)';
  return { passed: 0, failed: 0, skipped: [{ test: name, why }], complaints: [] };
}
