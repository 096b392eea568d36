import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRepository } from '../repository/root.ts';
import { failed, type Outcome, type Skip } from './outcome.ts';
import { runNode } from './program.ts';

/** Runs vitest over some of its projects, and shows what it says as it goes. */
export function runVitest(projects: readonly string[]): Promise<Outcome> {
  return withReport(async (report) => {
    const args = [
      'run',
      '--reporter=default',
      `--reporter=${inRepository('infra', 'dist', 'checks', 'vitest-reporter.js')}`,
    ];
    const { code } = await runNode(
      inRepository('node_modules', 'vitest', 'vitest.mjs'),
      [...args, ...projects.map((project) => `--project=${project}`)],
      { show: true, env: { CARDWRIGHT_TEST_REPORT: report, NO_COLOR: '1' } },
    );
    if (!existsSync(report)) return failed(`vitest ended with code ${code} and no report`);
    const outcome = JSON.parse(readFileSync(report, 'utf8')) as Outcome;
    if (outcome.passed + outcome.failed === 0) return failed('vitest ran no test');
    return code !== 0 && outcome.failed === 0 ? failed(`vitest ended with code ${code}`) : outcome;
  });
}

interface PlaywrightSuite {
  readonly suites?: readonly PlaywrightSuite[];
  readonly specs?: readonly PlaywrightSpec[];
}
interface PlaywrightSpec {
  readonly title: string;
  readonly tests: readonly {
    readonly status: 'expected' | 'unexpected' | 'flaky' | 'skipped';
    readonly annotations: readonly { readonly type: string; readonly description?: string }[];
  }[];
}

/** Runs the browser tests. A test that passes only on a second try counts as failed. */
export function runPlaywright(): Promise<Outcome> {
  return withReport(async (report) => {
    const config = inRepository('test', 'playwright.config.ts');
    const { code } = await runNode(
      inRepository('node_modules', '@playwright', 'test', 'cli.js'),
      ['test', '-c', config, '--reporter=list,json'],
      { show: true, env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report, NO_COLOR: '1', FORCE_COLOR: '0' } },
    );
    if (!existsSync(report)) return failed(`playwright ended with code ${code} and no report`);
    const { suites, errors } = JSON.parse(readFileSync(report, 'utf8')) as {
      suites: readonly PlaywrightSuite[];
      errors: readonly { message?: string }[];
    };
    const tests = suites.flatMap(specsOf).flatMap((spec) => spec.tests.map((test) => ({ title: spec.title, ...test })));
    if (tests.length === 0 && errors.length === 0) return failed('playwright ran no test');
    const skipped: Skip[] = tests
      .filter(({ status }) => status === 'skipped')
      .map(({ title, annotations }) => ({
        test: title,
        why: annotations.find(({ type }) => type === 'skip' || type === 'fixme')?.description ?? 'no reason given',
      }));
    const broken = tests.filter(({ status }) => status === 'unexpected' || status === 'flaky');
    return {
      passed: tests.filter(({ status }) => status === 'expected').length,
      failed: broken.length + errors.length,
      skipped,
      complaints: [
        ...broken.map(({ title }) => title),
        ...errors.map(({ message }) => message ?? 'an error without words'),
      ],
    };
  });
}

function specsOf(suite: PlaywrightSuite): readonly PlaywrightSpec[] {
  return [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specsOf)];
}

async function withReport(work: (file: string) => Promise<Outcome>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-report-'));
  try {
    return await work(join(folder, 'report.json'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
