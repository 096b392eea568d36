interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly dockerfile?: string; readonly target?: string };
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition?: string }>>;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly file?: string }>>;
}

/** The containers that issue 2 names; `migrate` runs once and ends. */
const EXPECTED = ['postgres', 'migrate', 'vault', 'ca', 'cms-api', 'cms-worker', 'console'];
const ONE_SHOT = ['migrate'];

/** Each rule with what breaks it. */
export function composeComplaints(
  compose: ComposeFile,
  dockerfiles: readonly { readonly path: string; readonly text: string }[],
): Record<string, string[]> {
  const services = Object.entries(compose.services);
  const where = (test: (service: ComposeService, name: string) => boolean) =>
    services.filter(([name, service]) => !test(service, name)).map(([name]) => name);
  return {
    'compose: the services are those agreed': EXPECTED.filter((name) => compose.services[name] === undefined),
    'compose: every service that stays has a health check': where(
      (service, name) => ONE_SHOT.includes(name) || (service.healthcheck?.test?.length ?? 0) > 1,
    ),
    'compose: nothing runs as root': where(({ user }) => /^[1-9]\d*:[1-9]\d*$/.test(user ?? '')),
    'compose: file systems are read-only, capabilities dropped': where(
      ({ read_only, cap_drop, security_opt }) =>
        read_only === true &&
        cap_drop?.[0] === 'ALL' &&
        (security_opt ?? []).some((option) => option.startsWith('no-new-privileges')),
    ),
    'compose: no secret stands in the environment': services.flatMap(([name, { environment = {} }]) =>
      Object.entries(environment)
        .filter(([key, value]) => secretInClear(key, String(value)))
        .map(([key]) => `${name}: ${key}`),
    ),
    'compose: every secret is a file, and known': [
      ...Object.entries(compose.secrets ?? {})
        .filter(([, { file }]) => file === undefined)
        .map(([name]) => name),
      ...services.flatMap(([name, { secrets = [] }]) =>
        secrets.filter((secret) => compose.secrets?.[secret] === undefined).map((secret) => `${name}: ${secret}`),
      ),
    ],
    'compose: volumes and networks are known': services.flatMap(([name, { volumes = [], networks = [] }]) =>
      [
        ...volumes.map((volume) => volume.split(':')[0] ?? '').filter((volume) => !(volume in (compose.volumes ?? {}))),
        ...networks.filter((network) => !(network in (compose.networks ?? {}))),
      ].map((missing) => `${name}: ${missing}`),
    ),
    'compose: ports are published on this machine only': services.flatMap(([name, { ports = [] }]) =>
      ports.filter((port) => !port.startsWith('127.0.0.1:')).map((port) => `${name}: ${port}`),
    ),
    'compose: images are pinned, and targets exist': services.flatMap(([name, service]) =>
      imageComplaints(service, dockerfiles).map((complaint) => `${name}: ${complaint}`),
    ),
    'compose: what is depended on is waited for': services.flatMap(([name, { depends_on = {} }]) =>
      Object.entries(depends_on)
        .filter(([other, { condition }]) => !compose.services[other] || !waits(condition, ONE_SHOT.includes(other)))
        .map(([other]) => `${name}: ${other}`),
    ),
    'compose: administrator keys are mounted by the vault alone': services
      .filter(
        ([name, { volumes = [] }]) => name !== 'vault' && volumes.some((volume) => volume.startsWith('vault-keys')),
      )
      .map(([name]) => name),
  };
}

function secretInClear(key: string, value: string): boolean {
  const named = /(PASSWORD|PASSPHRASE|SECRET|TOKEN|_KEY)$/.test(key);
  return named || /:\/\/[^/\s]+:[^/\s]+@/.test(value);
}

function waits(condition: string | undefined, oneShot: boolean): boolean {
  return condition === (oneShot ? 'service_completed_successfully' : 'service_healthy');
}

function imageComplaints(
  { image, build }: ComposeService,
  dockerfiles: readonly { readonly path: string; readonly text: string }[],
): string[] {
  if (build === undefined) return /:\d+\.\d+/.test(image ?? '') ? [] : [`image ${image} is not pinned to a version`];
  const file = dockerfiles.find(({ path }) => path === build.dockerfile);
  if (file === undefined) return [`${build.dockerfile} is not one of the checked files`];
  if (build.target === undefined || new RegExp(` AS ${build.target}$`, 'm').test(file.text)) return [];
  return [`${build.dockerfile} has no stage ${build.target}`];
}
