import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { parse } from 'pg-connection-string';
import { onServer } from './engine-database.mjs';

/**
 * `@prisma/adapter-pg` made fit for the schema engine, which asks more of it than the client does. Each part below works
 * around a fault seen in 7.10.1, and says which.
 */

const OID = { char: 18, bpchar: 1042, nameArray: 1003, textArray: 1009, charArray: 1002, bpcharArray: 1014 };
const COLUMN_TYPE_CHARACTER = 6; // ColumnTypeEnum of @prisma/driver-adapter-utils

// The adapter refuses the types of some catalog columns ("char", name[]): show them as types that it knows …
const Result = createRequire(import.meta.url)('pg/lib/result.js');
const { addFields } = Result.prototype;
Result.prototype.addFields = function addKnownFields(fields) {
  const known = { [OID.char]: OID.bpchar, [OID.nameArray]: OID.textArray, [OID.charArray]: OID.bpcharArray };
  for (const field of fields) {
    field.isChar = field.dataTypeID === OID.char;
    field.dataTypeID = known[field.dataTypeID] ?? field.dataTypeID;
  }
  return addFields.call(this, fields);
};

/** … and tell the engine which were really "char", or it panics on pg_constraint.contype and the like. */
function fitForEngine(adapter) {
  const performIO = adapter.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  const charColumns = new WeakMap();
  adapter.performIO = async (query) => {
    const result = await performIO(query);
    charColumns.set(
      query,
      (result?.fields ?? []).flatMap((field, index) => (field.isChar ? [index] : [])),
    );
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const index of charColumns.get(query) ?? []) result.columnTypes[index] = COLUMN_TYPE_CHARACTER;
    return result;
  };
  // The adapter splits scripts at each semicolon, also inside function bodies: send them whole.
  adapter.executeScript = async (script) => {
    await adapter.client.query(script);
  };
  return adapter;
}

export class EngineAdapterFactory extends PrismaPg {
  #datasource;
  #config;
  #schema;

  constructor(datasource) {
    const address = new URL(datasource.url);
    const schema = address.searchParams.get('schema') ?? undefined;
    address.searchParams.delete('schema');
    // Not { connectionString }: pg lets that win over `database`, and the shadow database would be the main one.
    const config = parse(address.toString());
    super(config, { schema });
    this.#datasource = datasource;
    this.#config = config;
    this.#schema = schema;
  }

  async connect() {
    return fitForEngine(await super.connect());
  }

  async connectToShadowDb() {
    const { url, shadowDatabaseUrl } = this.#datasource;
    if (shadowDatabaseUrl) return this.#emptied(shadowDatabaseUrl);
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    const name = pg.escapeIdentifier(database);
    await onServer(url, (client) => client.query(`CREATE DATABASE ${name}`));
    const adapter = fitForEngine(await new PrismaPg({ ...this.#config, database }, { schema: this.#schema }).connect());
    const dispose = adapter.dispose.bind(adapter);
    // The adapter drops the database before it closes its pool, which PostgreSQL refuses: the other way round.
    adapter.dispose = async () => {
      await dispose();
      await onServer(url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    };
    return adapter;
  }

  /** A shadow database given by the user loses what it holds, so it must not be the main one. */
  async #emptied(shadowDatabaseUrl) {
    const config = parse(shadowDatabaseUrl);
    const same = ['host', 'port', 'database'].every((key) => config[key] === this.#config[key]);
    if (same) throw new Error('shadowDatabaseUrl names the main database');
    const adapter = fitForEngine(await new PrismaPg(config).connect());
    await adapter.executeScript('DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public');
    return adapter;
  }
}
