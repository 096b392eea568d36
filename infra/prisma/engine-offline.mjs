const COLUMN_TYPE = { int32: 0, boolean: 5, text: 7 }; // ColumnTypeEnum of @prisma/driver-adapter-utils

/**
 * An adapter without a database, for what needs none: comparing two schema files. The engine still asks the server for
 * its version and settings, and gets those of a PostgreSQL 15.
 */
export const offlineFactory = {
  provider: 'postgres',
  adapterName: 'offline',
  connect: async () => ({
    provider: 'postgres',
    adapterName: 'offline',
    executeScript: async () => undefined,
    executeRaw: async () => 0,
    dispose: async () => undefined,
    queryRaw: async ({ sql }) => (/version\(\)/.test(sql) ? row('PostgreSQL 15.0', 150000, true) : row(true, 150000)),
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
  }),
  connectToShadowDb: async () => {
    throw new Error('this needs a database: set DATABASE_URL');
  },
};

function row(...values) {
  const type = { string: COLUMN_TYPE.text, boolean: COLUMN_TYPE.boolean, number: COLUMN_TYPE.int32 };
  return {
    columnNames: values.map((_value, index) => `c${index}`),
    columnTypes: values.map((value) => type[typeof value]),
    rows: [values],
  };
}
