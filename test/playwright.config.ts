import { defineConfig } from '@playwright/test';

/** The console in a real Chromium, Debian's own: no browser is ever downloaded. */
export default defineConfig({
  testDir: './e2e',
  outputDir: './results',
  globalSetup: './support/global-setup.ts',
  // Each worker starts one system for its files: they share what it knows, and two cores.
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-dev-shm-usage',
      ],
    },
  },
});
