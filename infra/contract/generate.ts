import openapiTypescript, { astToString } from 'openapi-typescript';
import { runNode } from '../checks/program.ts';
import { inRepository } from '../repository/root.ts';

export const CONTRACT_FILE = inRepository('services', 'protocol', 'openapi.json');
export const TYPES_FILE = inRepository('services', 'protocol', 'api.gen.ts');

export interface Contract {
  /** OpenAPI 3.1, as committed and served. */
  readonly openapi: string;
  /** The TypeScript types that agent and web use. */
  readonly types: string;
}

/** The contract that the routes of cms declare. Needs cms compiled, and no database. */
export async function generateContract(): Promise<Contract> {
  const { code, stdout, stderr } = await runNode(inRepository('services', 'cms', 'dist', 'openapi.js'), []);
  if (code !== 0) throw new Error(`cms did not give its contract (code ${code}):\n${stderr}`);
  const document = JSON.parse(stdout) as Record<string, unknown>;
  const openapi = `${JSON.stringify(document, null, 2)}\n`;
  return { openapi, types: await generateTypes(openapi) };
}

/** The types of a contract's text. A field with a default may be left out by who sends it. */
export async function generateTypes(openapi: string): Promise<string> {
  const header = '// Generated from openapi.json by `npm run contract`. Do not edit.\n\n';
  return header + astToString(await openapiTypescript(openapi, { alphabetize: true, defaultNonNullable: false }));
}
