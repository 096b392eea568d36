import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { mustRun, root } from './command.mjs';
import { step } from './report.mjs';

/**
 * Compiles the binding of pkcs11js, which npm installs as source. Only Node-API is used, whose headers are a package of
 * their own: so one call of the compiler is enough, and neither node-gyp, Python nor a download of Node's headers.
 * A vault whose keys are in a file never loads it.
 */
export async function buildPkcs11() {
  const folder = join(root, 'node_modules', 'pkcs11js');
  const built = join(folder, 'build', 'Release', 'pkcs11.node');
  if (existsSync(built)) return;
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/include/node_api.h'));
  const sources = ['dl.cpp', 'common.cpp', 'main.cpp'].map((name) => join(folder, 'src', name));
  const unfinished = `${built}.${process.pid}`;
  mkdirSync(dirname(built), { recursive: true });
  await step('Compiling the PKCS#11 binding', async () => {
    await mustRun('g++', [
      ...['-std=c++17', '-O2', '-fPIC', '-shared', '-fno-exceptions', '-w'],
      ...['-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DBUILDING_NODE_EXTENSION', '-DNODE_GYP_MODULE_NAME=pkcs11'],
      ...['-I', headers, '-I', join(folder, 'includes'), '-o', unfinished, ...sources],
    ]);
    renameSync(unfinished, built);
  });
}
