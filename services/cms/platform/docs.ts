/** The parts of an OpenAPI 3.1 document that the page shows. Everything else in it is ignored. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly 'x-permission'?: string;
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema?: Schema;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, Media>> };
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly info?: { readonly title?: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const html = (text: unknown): string =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The contract as one page of HTML. */
export function renderDocs(document: object): string {
  const { info = {}, paths = {}, components = {} } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) =>
      item[method] === undefined ? [] : [{ path, method, operation: item[method] as Operation }],
    ),
  );
  const schemas = Object.entries(components.schemas ?? {}) as [string, Schema][];
  const contents = operations.map(
    ({ operation }) =>
      `<li><a href="#${html(operation.operationId)}">${html(operation.summary ?? operation.operationId)}</a></li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(info.title)} REST interface</title><link rel="stylesheet" href="/docs/style.css"></head><body>
<h1>${html(info.title)} REST interface</h1><p>${html(info.description)}</p>
<p>Send <code>Authorization: Bearer TOKEN</code>: the API token of an operator or an integration, or, for the operations
of the agent, the token of the device. A browser signs in with <code>POST /api/v1/session</code> and is known by its cookie.</p>
<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<nav aria-label="Operations"><h2>Operations</h2><ul>${contents.join('\n')}</ul></nav>
<main>${operations.map(({ path, method, operation }) => renderOperation(path, method, operation, schemas)).join('\n')}
<h2>Objects</h2>${schemas.map(([name, schema]) => renderSchema(name, schema)).join('\n')}</main></body></html>`;
}

function renderOperation(path: string, method: string, operation: Operation, schemas: [string, Schema][]): string {
  const media = Object.values(operation.requestBody?.content ?? {})[0];
  const body = media?.schema;
  const answers = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const schema = Object.values(response.content ?? {})[0]?.schema;
    return `<tr><td>${html(status)}</td><td>${schema === undefined ? 'no content' : link(schema)}</td></tr>`;
  });
  const parameters = (operation.parameters ?? []).map(
    (one) =>
      `<tr><td><code>${html(one.name)}</code></td><td>${html(one.in)}${one.required ? ', required' : ''}</td><td>${link(one.schema ?? {})}</td><td>${html(one.description ?? '')}</td></tr>`,
  );
  return `<section id="${html(operation.operationId)}"><h3><span class="method">${method.toUpperCase()}</span> <code>${html(path)}</code></h3>
<p>${html(operation.summary ?? '')}</p>${operation.description === undefined ? '' : `<p>${html(operation.description)}</p>`}
<p>For: ${caller(operation['x-permission'])}</p>
${parameters.length === 0 ? '' : `<table><caption>Parameters</caption>${parameters.join('')}</table>`}
${body === undefined ? '' : `<p>Body: ${link(body)}</p>${fields(body)}${media?.example === undefined ? example(body, schemas) : pre(media.example)}`}
<table><caption>Answers</caption>${answers.join('')}</table></section>`;
}

function renderSchema(name: string, schema: Schema): string {
  return `<section id="schema-${html(name)}"><h3>${html(name)}</h3><p>${html(schema.description ?? '')}</p>${fields(schema)}${example(schema, [])}</section>`;
}

/** Of an object that stands here itself; one with a name has its own section. */
function fields(schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(
    ([key, one]) =>
      `<tr><td><code>${html(key)}</code></td><td>${link(one)}${schema.required?.includes(key) ? '' : ', optional'}</td><td>${html(one.description ?? '')}</td></tr>`,
  );
  return rows.length === 0 ? '' : `<table><caption>Fields</caption>${rows.join('')}</table>`;
}

function caller(permission: string | undefined): string {
  if (permission === undefined || permission === 'public') return 'everyone, without a token.';
  if (permission === 'signed-in') return 'every operator and integration.';
  if (permission === 'device' || permission === 'device-attesting') return 'an enrolled device, with its own token.';
  return `who has the permission <code>${html(permission)}</code>.`;
}

const nameOf = (schema: Schema): string | undefined => schema.$ref?.split('/').at(-1);

/** A type in words, with links to named ones. */
function link(schema: Schema): string {
  const name = nameOf(schema);
  if (name !== undefined) return `<a href="#schema-${html(name)}">${html(name)}</a>`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(link).join(' or ');
  if (schema.items !== undefined) return `list of ${link(schema.items)}`;
  if (schema.enum !== undefined) return schema.enum.map((one) => `<code>${html(JSON.stringify(one))}</code>`).join(' ');
  const type = [schema.type ?? 'any'].flat().join(' or ');
  return html(schema.format === undefined ? type : `${type} (${schema.format})`);
}

function example(schema: Schema, schemas: [string, Schema][]): string {
  const resolved = schemas.find(([name]) => name === nameOf(schema))?.[1] ?? schema;
  const [first] = resolved.examples ?? [];
  return first === undefined ? '' : pre(first);
}

const pre = (value: unknown): string => `<pre>${html(JSON.stringify(value, null, 2))}</pre>`;
