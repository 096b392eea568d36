import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

interface Schema {
  $ref?: string;
  examples?: unknown[];
}
interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  'x-permission'?: string;
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
}
interface Media {
  schema: Schema;
  example?: unknown;
  examples?: object;
}
interface Contract {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

let contract: Contract;
let operations: [string, Operation][];
beforeAll(() => {
  // As it is built: what is printed is what is served.
  const text = execFileSync(process.execPath, [join(import.meta.dirname, 'dist', 'openapi.js')], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  contract = JSON.parse(text);
  operations = Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );
});

const hasExample = ({ schema, example, examples }: Media): boolean => {
  if (example !== undefined || examples !== undefined) return true;
  const component =
    schema.$ref === undefined ? schema : contract.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  return (component?.examples?.length ?? 0) > 0;
};

describe('the contract', () => {
  it('is OpenAPI 3.1 with unique operation ids, summaries, tags and permissions', () => {
    expect(contract.openapi).toBe('3.1.0');
    expect(operations.length).toBeGreaterThan(40);
    const ids = operations.map(([, operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const bare = operations.filter(
      ([, one]) => !one.operationId || !one.summary || !one.tags?.length || !one['x-permission'],
    );
    expect(bare.map(([name]) => name)).toEqual([]);
  });

  it('has an example of every body that is sent and of every answer', () => {
    const without = operations.flatMap(([name, operation]) => [
      ...Object.values(operation.requestBody?.content ?? {}).flatMap((media) =>
        hasExample(media) ? [] : `${name} body`,
      ),
      ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
        Object.values(content).flatMap((media) => (hasExample(media) ? [] : `${name} ${status}`)),
      ),
    ]);
    expect(without).toEqual([]);
  });

  it('names every object it answers with, and gives problems their own media type', () => {
    for (const [name, operation] of operations) {
      expect(Object.keys(operation.responses.default?.content ?? {}), name).toEqual(['application/problem+json']);
      for (const { content } of Object.values(operation.responses)) {
        for (const { schema } of Object.values(content ?? {}))
          expect(schema.$ref, name).toMatch(/^#\/components\/schemas\/[A-Z]\w+$/);
      }
    }
  });
});
