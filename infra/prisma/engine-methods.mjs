import { readFileSync } from 'node:fs';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { createDatabase } from './engine-database.mjs';
import { offlineFactory } from './engine-offline.mjs';
import { loadEngine } from './engine-wasm.mjs';

const NEEDS_NO_DATABASE = ['empty', 'schemaDatamodel'];

let panic = null;
let engineClass = null;
let connected = null;

/** The message of the last panic inside the engine, or null. */
export function lastPanic() {
  return panic;
}

/** Answers one JSON-RPC method: `result` is what the native engine answers, `print` what it would show. */
export async function answer({ method, params = {}, datasource, datamodels }) {
  if (method === 'createDatabase') return { result: { databaseName: await createDatabase(datasource.url) } };
  if (method === 'diff') return answerDiff(params, datasource, datamodels);
  const { engine, errorOf } = await connectedEngine(datasource, datamodels);
  const call = method === 'getDatabaseVersion' ? 'version' : method;
  try {
    return { result: (await engine[call](params)) ?? {} };
  } catch (error) {
    throw errorOf(error);
  }
}

async function answerDiff(params, datasource, datamodels) {
  const offline = [params.from, params.to].every((side) => NEEDS_NO_DATABASE.includes(side.tag));
  const { engine, errorOf } = offline
    ? await newEngine(offlineFactory, [])
    : await connectedEngine(datasource, datamodels);
  try {
    const { exitCode, stdout } = await engine.diff(params);
    return stdout === null || stdout === undefined ? { result: { exitCode } } : { result: { exitCode }, print: stdout };
  } catch (error) {
    throw errorOf(error);
  }
}

async function connectedEngine(datasource, datamodels) {
  if (connected === null) {
    if (datasource.url === undefined) throw new Error('this needs a database: set DATABASE_URL');
    const { EngineAdapterFactory } = await import('./engine-postgres.mjs');
    connected = await newEngine(new EngineAdapterFactory(datasource), datamodels);
  }
  return connected;
}

async function newEngine(factory, datamodels) {
  engineClass ??= await loadEngine((message) => {
    panic = message;
  });
  const bound = bindMigrationAwareSqlAdapterFactory(factory);
  const files = datamodels.map((path) => [path, readFileSync(path, 'utf8')]);
  const engine = await engineClass.new({ datamodels: files.length > 0 ? files : undefined }, () => undefined, bound);
  /** The engine knows an adapter's error by a number only; the text is in the adapter's registry. */
  const errorOf = (error) => {
    const inner = bound.errorRegistry?.consumeError?.(error?.cause?.id ?? error?.id)?.error;
    if (inner === undefined) return error;
    return Object.assign(new Error(`${error?.message ?? error}\n${inner}`), { code: error?.code });
  };
  return { engine, errorOf };
}
