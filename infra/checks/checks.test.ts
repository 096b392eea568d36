import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ComposeFile, composeComplaints } from './compose-rules.ts';
import { dockerfileComplaints } from './dockerfile-rules.ts';
import { checkImports } from './imports.ts';
import { fromComplaints, lastLine, type Outcome, sum } from './outcome.ts';

/** A tree that breaks each import rule once. A check that can't fail would check nothing. */
const TREE: Record<string, string> = {
  'package.json': '{"name":"tree","type":"module"}',
  'services/cms/cards/rule.ts':
    "import '../people/inner.ts'; import 'fastify'; import 'node:fs'; import './rows.pg.ts';",
  'services/cms/cards/cards.http.ts': "import './rows.pg.ts';",
  'services/cms/cards/rows.pg.ts': 'export const rows = 1;',
  'services/cms/people/inner.ts': "import '../../vault/inside.ts';",
  'services/cms/kernel/ids.ts': "import '../people/inner.ts';",
  'services/vault/inside.ts': 'export const inside = 1;',
  'services/link/a.ts': "import '../vault/inside.ts'; import './b.ts';",
  'services/link/b.ts': "import './a.ts'; import './nothing.ts';",
  'services/ca/x.ts': "import '../cms/cards/rows.pg.ts';",
  'services/vault/y.ts': "import '../ca/x.ts';",
  'services/protocol/pin/index.ts': "import 'node:crypto'; import '../../vault/inside.ts';",
  'agent/run.ts': "import '../services/link/a.ts'; import './run.test.ts';",
  'agent/run.test.ts': 'export const tested = 1;',
  'web/page.ts': "import '../services/protocol/pin/index.ts';",
  'infra/start.ts': "import '../services/vault/inside.ts';",
  'test/support.ts': "import '../services/vault/inside.ts';",
  'node_modules/fastify/package.json': '{"name":"fastify","version":"1.0.0","main":"index.js"}',
  'node_modules/fastify/index.js': '',
};

describe('the import rules', () => {
  let folder: string;
  let outcome: Outcome;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cardwright-tree-'));
    for (const [path, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    outcome = await checkImports(folder);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['cms-imports', 'services/cms/people/inner.ts → services/vault/inside.ts'],
    ['vault-imports', 'services/vault/y.ts → services/ca/x.ts'],
    ['ca-imports', 'services/ca/x.ts → services/cms/cards/rows.pg.ts'],
    ['link-imports', 'services/link/a.ts → services/vault/inside.ts'],
    ['protocol-imports', 'services/protocol/pin/index.ts → services/vault/inside.ts'],
    ['agent-imports', 'agent/run.ts → services/link/a.ts'],
    ['web-imports', 'web/page.ts → services/protocol/pin/index.ts'],
    ['infra-imports', 'infra/start.ts → services/vault/inside.ts'],
    ['test-imports', 'test/support.ts → services/vault/inside.ts'],
    ['no-cycles', 'services/link/b.ts'],
    ['no-unresolved', 'services/link/b.ts → ./nothing.ts'],
    ['no-tests-in-the-product', 'agent/run.ts → agent/run.test.ts'],
    ['capabilities-meet-at-their-index', 'services/cms/cards/rule.ts → services/cms/people/inner.ts'],
    ['kernel-imports-no-capability', 'services/cms/kernel/ids.ts → services/cms/people/inner.ts'],
    ['routes-use-no-adapter', 'services/cms/cards/cards.http.ts → services/cms/cards/rows.pg.ts'],
    ['pure-files-use-no-technology', 'services/cms/cards/rule.ts → node_modules/fastify/index.js'],
    ['pure-files-use-no-technology', 'services/cms/cards/rule.ts → fs'],
    ['pure-files-use-no-adapter', 'services/cms/cards/rule.ts → services/cms/cards/rows.pg.ts'],
    ['browser-parts-use-no-node', 'services/protocol/pin/index.ts → crypto'],
  ])('%s finds %s', (rule, broken) => {
    const start = outcome.complaints.indexOf(`${rule}:`);
    expect(start).toBeGreaterThanOrEqual(0);
    const rest = outcome.complaints.slice(start + 1);
    const end = rest.findIndex((line) => !line.startsWith('  '));
    expect(rest.slice(0, end === -1 ? undefined : end).join('\n')).toContain(broken);
  });
});

describe('the rules of images', () => {
  const complaints = (text: string) => dockerfileComplaints(text, (path) => path === 'there.ts');

  it('take a good file', () => {
    expect(
      complaints('FROM node:20.20.0-slim AS run\nCOPY there.ts ./\nUSER 10001\nCMD ["node", "there.js"]\n'),
    ).toEqual([]);
  });

  it.each([
    ['FROM node:latest\nUSER 1\n', 'not pinned'],
    ['FROM node:20\nUSER 1\n', 'not pinned'],
    ['FROM node:20.20.0\n', 'runs as root'],
    ['FROM node:20.20.0\nUSER root\n', 'runs as root'],
    ['FROM node:20.20.0\nUSER 1\nUSER 0\n', 'runs as root'],
    ['FROM node:20.20.0\nUSER 1\nADD x y\n', 'use COPY'],
    ['FROM node:20.20.0\nUSER 1\nENV DB_PASSWORD=x\n', 'would stay in the image'],
    ['FROM node:20.20.0\nUSER 1\nCMD node x.js\n', 'brackets'],
    ['FROM node:20.20.0\nUSER 1\nCMD ["node", "gone/dist/main.js"]\n', 'does not exist'],
    ['FROM node:20.20.0\nUSER 1\nCOPY gone.ts ./\n', 'no such file'],
    ['FROM node:20.20.0\nUSER 1\nCOPY --from=nowhere a b\n', 'no such stage'],
    ['FROM node:20.20.0\nUSER 1\nRUN npm ci\n', 'must not run'],
  ])('refuse %j', (text, why) => {
    expect(complaints(text).join('\n')).toContain(why);
  });
});

describe('the rules of compose', () => {
  const good = {
    image: 'x:1.2',
    user: '1:1',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    healthcheck: { test: ['CMD', 'true'] },
  };
  const broken = (service: object, file: Partial<ComposeFile> = {}) =>
    Object.entries(composeComplaints({ services: { one: { ...good, ...service } }, ...file }, []))
      .filter(([rule, found]) => found.length > 0 && !rule.includes('those agreed'))
      .map(([rule]) => rule.replace('compose: ', ''));

  it('take a good service', () => expect(broken({})).toEqual([]));

  it.each([
    [{ healthcheck: undefined }, 'every service that stays has a health check'],
    [{ user: '0:0' }, 'nothing runs as root'],
    [{ user: undefined }, 'nothing runs as root'],
    [{ read_only: false }, 'file systems are read-only, capabilities dropped'],
    [{ cap_drop: [] }, 'file systems are read-only, capabilities dropped'],
    [{ environment: { DB_PASSWORD: 'x' } }, 'no secret stands in the environment'],
    [{ environment: { DB: 'postgres://a:b@c/d' } }, 'no secret stands in the environment'],
    [{ secrets: ['unknown'] }, 'every secret is a file, and known'],
    [{ volumes: ['unknown:/x'] }, 'volumes and networks are known'],
    [{ networks: ['unknown'] }, 'volumes and networks are known'],
    [{ ports: ['8080:8080'] }, 'ports are published on this machine only'],
    [{ image: 'x' }, 'images are pinned, and targets exist'],
    [{ image: 'x:latest' }, 'images are pinned, and targets exist'],
    [{ build: { dockerfile: 'gone' } }, 'images are pinned, and targets exist'],
    [{ depends_on: { two: {} } }, 'what is depended on is waited for'],
  ])('find what is wrong with %j', (service, rule) => {
    expect(broken(service)).toContain(rule);
  });

  it('keep the administrator keys for the vault', () => {
    expect(broken({ volumes: ['vault-keys:/x'] }, { volumes: { 'vault-keys': {} } })).toEqual([
      'administrator keys are mounted by the vault alone',
    ]);
  });
});

it('the last line sums up, and speaks of skips only when there are some', () => {
  const one = fromComplaints({ good: [], bad: ['why'] });
  expect(lastLine(sum([one, one]))).toBe('2 passed, 2 failed');
  expect(lastLine(sum([one, { ...one, skipped: [{ test: 'a', why: 'b' }] }]))).toBe('2 passed, 2 failed, 1 skipped');
});
