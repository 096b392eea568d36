import { inRepository, repositoryRoot } from '../repository/root.ts';
import { failed, fromComplaints, type Outcome } from './outcome.ts';
import { runNode } from './program.ts';

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
  readonly cycle?: readonly { readonly name: string }[];
}

interface Cruise {
  readonly summary: {
    readonly violations: readonly Violation[];
    readonly totalCruised: number;
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  };
}

/** The import rules of services/README.md, one test a rule. `folder` is another tree to look at, in a test of the rules. */
export async function checkImports(folder: string = repositoryRoot): Promise<Outcome> {
  const cruiser = inRepository('node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const config = inRepository('infra', 'checks', 'import-rules.mjs');
  const args = ['--config', config, '--output-type', 'json', 'services', 'agent', 'web', 'infra', 'test'];
  const { stdout, stderr } = await runNode(cruiser, args, { folder });
  if (!stdout.startsWith('{')) return failed(stdout + stderr);
  const { summary } = JSON.parse(stdout) as Cruise;
  if (summary.totalCruised === 0) return failed('dependency-cruiser looked at nothing');
  const rules = summary.ruleSetUsed.forbidden.map(({ name, comment }) => {
    const broken = summary.violations.filter((violation) => violation.rule.name === name).map(describe);
    return [name, broken.length === 0 ? [] : [comment, ...broken]] as const;
  });
  return fromComplaints(Object.fromEntries(rules));
}

function describe({ from, to, cycle }: Violation): string {
  return [from, ...(cycle?.map(({ name }) => name) ?? [to])].join(' → ');
}
