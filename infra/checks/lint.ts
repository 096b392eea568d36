import { inRepository } from '../repository/root.ts';
import { failed, type Outcome, PASSED } from './outcome.ts';
import { runNode } from './program.ts';

/** Biome: lint rules and format, over everything that is not ignored by git. */
export async function checkLint(): Promise<Outcome> {
  const biome = inRepository('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const { code, stdout, stderr } = await runNode(biome, ['ci', '--colors=off', '--max-diagnostics=50', '.']);
  return code === 0 ? PASSED : failed(stdout + stderr, 'To put right what can be put right by itself: npm run format');
}
