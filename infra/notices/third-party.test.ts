import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installed, noticesText, packagesOf } from './third-party.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cardwright-notices-'));
  put('node_modules/plain/package.json', '{"name":"plain","version":"1.0.0","license":"MIT"}');
  put('node_modules/plain/LICENSE', 'MIT License\r\nCopyright (c) Plain\r\n');
  put('node_modules/plain/node_modules/@scope/deep/package.json', '{"name":"@scope/deep","version":"2.1.0"}');
  put('node_modules/plain/node_modules/@scope/deep/licence.md', 'ISC, Copyright Deep');
  put('node_modules/plain/node_modules/@scope/deep/NOTICE', 'Parts by Other');
  put('node_modules/bare/package.json', '{"name":"bare","version":"0.0.1","license":"MIT"}');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const file = (path: string) => join(root, path);

it('each package is named once, with all of its texts, and our own files are none', () => {
  const packages = packagesOf([
    file('node_modules/plain/dist/index.js'),
    file('node_modules/plain/lib/other.js'),
    file('node_modules/plain/node_modules/@scope/deep/index.js'),
    file('services/protocol/dist/index.js'),
  ]);
  expect(packages).toEqual([
    { name: '@scope/deep', version: '2.1.0', licence: 'see below', texts: ['Parts by Other', 'ISC, Copyright Deep'] },
    { name: 'plain', version: '1.0.0', licence: 'MIT', texts: ['MIT License\nCopyright (c) Plain'] },
  ]);
  const text = noticesText('This', packages);
  for (const { name, version, texts } of packages) {
    for (const part of [`${name} ${version}`, ...texts]) expect(text).toContain(part);
  }
});

it('a package without a licence text is not handed on', () => {
  expect(() => packagesOf([file('node_modules/bare/index.js')])).toThrow('bare 0.0.1 has no licence file');
});

it('what a bundler adds of its own is looked up where it is installed', () => {
  expect(installed('plain', file('a/folder/below'))).toBe(file('node_modules/plain/package.json'));
  expect(() => installed('nowhere-to-be-found', file('a'))).toThrow('nowhere-to-be-found is not installed.');
});
