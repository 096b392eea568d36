import { createApp } from './app.ts';
import { wire } from './wire.ts';

/** Prints the contract. Everything is wired and nothing is connected: no database, vault or CA is needed. */
const parts = wire({
  databaseUrl: 'postgresql://nobody@127.0.0.1:1/none',
  port: 0,
  host: '127.0.0.1',
  publicUrl: 'http://127.0.0.1',
  vaultSocket: '/nonexistent/vault.sock',
  caSocket: '/nonexistent/ca.sock',
  caUrl: 'http://127.0.0.1:1',
  webRoot: import.meta.dirname,
  cookieSecure: true,
  requestsPerMinute: 1,
  trustedProxies: [],
  tpmRootsDirectory: null,
  expiredTpmCertificates: 'refuse',
  lockoutRules: null,
  connectorsFile: null,
  deviceUrls: [],
  logLevel: 'silent',
});
const app = await createApp(parts);
process.stdout.write(`${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
await parts.close();
