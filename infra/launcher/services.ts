import { join } from 'node:path';
import { connectLink } from '@cardwright/link';
import type { Zone } from '../database/roles.ts';
import { inRepository, repositoryRoot } from '../repository/root.ts';
import type { DataDirectory } from './data-directory.ts';
import type { ServiceSpec } from './service.ts';

export const SERVICE_NAMES = ['vault', 'ca', 'cms', 'worker'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export interface ServicePlan {
  readonly data: DataDirectory;
  readonly databaseUrls: Readonly<Record<Zone, string>>;
  readonly port: number;
  readonly caPort: number;
  readonly publicUrl: string;
  readonly vaultSecretFile: string;
  readonly caSecretFile: string;
  /** Settings on top, for tests. */
  readonly environment: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
}

/** The processes of the system in the order of their start, each with its own settings and secrets and no other's. */
export function serviceSpecs(plan: ServicePlan): readonly (ServiceSpec & { readonly name: ServiceName })[] {
  const { data, databaseUrls, publicUrl } = plan;
  const [vaultSocket, caSocket] = [join(data.sockets, 'vault.sock'), join(data.sockets, 'ca.sock')];
  const caUrl = `http://127.0.0.1:${plan.caPort}`;
  const cms = {
    CMS_DATABASE_URL: databaseUrls.cms,
    CMS_HOST: '127.0.0.1',
    CMS_PORT: String(plan.port),
    CMS_PUBLIC_URL: publicUrl,
    CMS_VAULT_SOCKET: vaultSocket,
    CMS_CA_SOCKET: caSocket,
    CMS_CA_URL: caUrl,
    CMS_WEB_ROOT: inRepository('web', 'dist'),
    CMS_TPM_ROOTS_DIR: data.tpmRoots,
    CMS_COOKIE_SECURE: String(publicUrl.startsWith('https:')),
  };
  const logOf = (name: string) => join(data.logs, `${name}.log`);
  const spec = (
    name: ServiceName,
    entry: readonly string[],
    settings: Readonly<Record<string, string>>,
    ready: (logged: string) => Promise<boolean>,
  ) => ({
    name,
    command: process.execPath,
    args: entry,
    env: { ...baseEnvironment(), ...settings, ...plan.environment[name] },
    logFile: logOf(name),
    workingDirectory: repositoryRoot,
    ready,
  });
  return [
    spec(
      'vault',
      [inRepository('services', 'vault', 'dist', 'main.js'), '--init'],
      {
        VAULT_SOCKET: vaultSocket,
        VAULT_DATABASE_URL: databaseUrls.vault,
        VAULT_KEYS_FILE: join(data.vault, 'keys.json'),
        VAULT_SECRET_FILE: plan.vaultSecretFile,
      },
      () => healthy(vaultSocket, 'vault'),
    ),
    spec(
      'ca',
      [inRepository('services', 'ca', 'dist', 'main.js')],
      {
        CA_SOCKET: caSocket,
        CA_HTTP_PORT: String(plan.caPort),
        CA_DATABASE_URL: databaseUrls.ca,
        CA_KEYS_DIR: data.ca,
        CA_SECRET_FILE: plan.caSecretFile,
        CA_PUBLIC_URL: publicUrl,
      },
      async () => (await healthy(caSocket, 'ca')) && (await answers(`${caUrl}/pki/root.cer`)),
    ),
    spec('cms', [inRepository('services', 'cms', 'dist', 'api.js')], cms, () => answers(`${publicUrl}/health/ready`)),
    spec('worker', [inRepository('services', 'cms', 'dist', 'worker.js')], cms, saysReady),
  ];
}

/** What a Node process needs from its surroundings, and nothing that could change what it does or hold a secret. */
export function baseEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];
  const given = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  return { ...Object.fromEntries(given), NODE_ENV: 'production' };
}

async function healthy(socketPath: string, service: string): Promise<boolean> {
  const link = connectLink({ socketPath, service, timeoutMs: 2000 });
  try {
    await link.call('health', {});
    return true;
  } finally {
    await link.close();
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.ok;
}

/** The worker has no port to ask: it logs that it is ready. */
async function saysReady(logged: string): Promise<boolean> {
  return /"msg":"[^"]*\bready\b/.test(logged);
}
