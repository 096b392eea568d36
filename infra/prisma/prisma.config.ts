import { join } from 'node:path';
import { defineConfig } from 'prisma/config';

/**
 * Every command of Prisma's CLI wants its native schema engine and would fetch it from the network. Ours needs no
 * download (see schema-engine.mjs); who has a native one may point the variable there.
 */
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= join(import.meta.dirname, 'schema-engine.mjs');

const root = join(import.meta.dirname, '..', '..');

export default defineConfig({
  schema: join(root, 'prisma', 'schema.prisma'),
  migrations: { path: join(root, 'prisma', 'migrations') },
  // `generate` needs no database; `migrate diff` makes and drops a shadow database beside this one.
  ...(process.env.DATABASE_URL === undefined ? {} : { datasource: { url: process.env.DATABASE_URL } }),
});
