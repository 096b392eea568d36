/**
 * Who may import whom, for dependency-cruiser. services/README.md says why. A package is imported by its name, which
 * resolves to its dist/: so whatever lies outside a package and is not a dist/ is another package's inside.
 */
const TEST_FILE = '\\.test\\.tsx?$|/testing/|/fixtures/';

/** Files of a package that choose technology: entry points, the wiring, the reading of settings. */
const ENTRY_FILE = '^(services/[^/]+|agent)/(main|api|app|worker|config|operators|openapi|client)\\.ts$|/wire\\.ts$';

/** A file with a suffix before .ts, which names its technology. One without promises to be pure. */
const SUFFIX = '\\.[a-z0-9-]+\\.ts$';
const PRODUCT = '^(services|agent)/.+\\.ts$';

const TECHNOLOGY = [
  '^node_modules/(fastify|@fastify|fastify-plugin|pg|@prisma|undici|openapi-fetch|pino)/',
  '^services/cms/platform/generated/',
];
const EFFECTFUL_CORE =
  '^(node:)?(fs|fs/promises|net|tls|http|http2|https|dgram|dns|child_process|cluster|worker_threads|os|process|readline|readline/promises|tty|timers|timers/promises|perf_hooks)$';

/** Package folder → what it may import of ours. */
const ALLOWED = {
  'services/protocol': [],
  'services/link': ['services/protocol/dist/'],
  'services/vault': ['services/(protocol|link)/dist/'],
  'services/ca': ['services/(protocol|link)/dist/'],
  'services/cms': ['services/(protocol|link)/dist/', 'services/(vault|ca)/dist/(index|client)\\.'],
  agent: ['services/protocol/dist/'],
  web: [
    'services/protocol/dist/(api\\.gen|challenge/|pin/)',
    'services/protocol/api\\.gen\\.ts$',
    // Its build alone, not what runs in a browser.
    'infra/dist/notices/',
  ],
  infra: ['services/(protocol|link)/dist/', 'services/protocol/openapi\\.json$'],
  test: ['services/[^/]+/dist/', 'services/protocol/openapi\\.json$', 'agent/dist/', 'infra/dist/'],
};

const OURS = '^(services|agent|web|infra|test)/';

function packageRule([folder, allowed]) {
  const own = `^${folder}/`;
  return {
    name: `${folder.replace('services/', '')}-imports`,
    severity: 'error',
    comment: `${folder} may import of ours only: ${[folder, ...allowed].join(', ')}`,
    from: { path: own },
    to: { path: OURS, pathNot: [own, ...allowed.map((path) => `^${path}`)] },
  };
}

export default {
  forbidden: [
    ...Object.entries(ALLOWED).map(packageRule),
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle has no first file to read.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'An import that resolves to nothing (the package may have to be built first).',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      comment: 'What ships does not import tests or their parts.',
      from: { path: '^(services|agent|web|infra)/', pathNot: [TEST_FILE, '^infra/checks/'] },
      to: { path: [TEST_FILE, '^node_modules/(vitest|@playwright)/', '^test/'] },
    },
    {
      name: 'capabilities-meet-at-their-index',
      severity: 'error',
      comment: "A capability of cms imports of another only its index.ts; kernel and platform are everybody's.",
      from: { path: '^services/cms/([^/]+)/', pathNot: TEST_FILE },
      to: {
        path: '^services/cms/([^/]+)/',
        pathNot: ['^services/cms/$1/', '^services/cms/(kernel|platform|dist)/', '^services/cms/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'kernel-imports-no-capability',
      severity: 'error',
      comment: 'The kernel is below everything else in cms.',
      from: { path: '^services/cms/kernel/' },
      to: { path: '^services/cms/(?!kernel/)' },
    },
    {
      name: 'routes-use-no-adapter',
      severity: 'error',
      comment: 'Routes call use cases; wire.ts alone chooses adapters.',
      from: { path: '^services/cms/(?!platform/).*\\.http\\.ts$' },
      to: { path: '^services/cms/(?!platform/).*\\.(prisma|pg|socket)\\.ts$' },
    },
    {
      name: 'pure-files-use-no-technology',
      severity: 'error',
      comment: 'A file whose name has no suffix is pure: no Fastify, no database, no files, no network, no processes.',
      from: { path: PRODUCT, pathNot: [SUFFIX, TEST_FILE, ENTRY_FILE, '/index\\.ts$'] },
      to: { path: [...TECHNOLOGY, EFFECTFUL_CORE], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-files-use-no-adapter',
      severity: 'error',
      comment: 'Rules and use cases know ports. Adapters implement them.',
      from: { path: PRODUCT, pathNot: [SUFFIX, TEST_FILE, ENTRY_FILE, '/index\\.ts$'] },
      to: { path: '\\.(http|prisma|pg|socket|file|linux|windows|pkcs11)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'browser-parts-use-no-node',
      severity: 'error',
      comment: 'The console imports these: they must run in a browser.',
      from: { path: ['^services/protocol/(challenge|pin)/', '^web/(?!.*\\.config\\.ts$)'], pathNot: TEST_FILE },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: {
      path: [
        '^node_modules/(?!(fastify|@fastify|pg|@prisma|undici|openapi-fetch|pino|vitest|@playwright))',
        '/generated/',
      ],
    },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
};
