import { defineConfig } from 'vitest/config';

const shared = {
  exclude: ['**/node_modules/**', '**/dist/**'],
  globalSetup: ['test/support/global-setup.ts'],
};

/** Most files wait for processes of their own: two at once on two cores, where the default is one. */
const maxWorkers = 2;

/** `npx vitest run <path>` runs what is below a path; packages are imported by name from their dist/ (build them first). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['{services,agent,web,infra}/**/*.test.{ts,tsx}'],
          testTimeout: 20_000,
          maxWorkers,
        },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          include: ['test/{support,integration,interop,repository}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          pool: 'forks',
          maxWorkers,
        },
      },
      {
        test: {
          ...shared,
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          pool: 'forks',
          maxWorkers,
        },
      },
    ],
  },
});
