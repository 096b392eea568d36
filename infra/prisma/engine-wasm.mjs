import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const glue = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');

/** The commit that the engine was built from: the CLI compares it with its own. */
export function engineVersion() {
  const { version } = JSON.parse(readFileSync(join(dirname(glue), 'package.json'), 'utf8'));
  return version.split('.').pop();
}

/** Loads the WebAssembly build; `onPanic` gets the message of a Rust panic. Gives its `SchemaEngine` class. */
export async function loadEngine(onPanic) {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: onPanic };
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = readFileSync(glue.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings.SchemaEngine;
}
