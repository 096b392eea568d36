import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';

/**
 * Two validators. A body is JSON and has types of its own: "5" is not 5 there. A query and a path are text, so numbers
 * and booleans are read out of them. Neither drops what it does not know: unknown fields are refused.
 */
export const buildValidator: BuildCompilerFromPool = (externalSchemas) => {
  const build = AjvCompiler();
  const compiler = (coerceTypes: boolean) =>
    build(externalSchemas, {
      customOptions: {
        removeAdditional: false,
        useDefaults: true,
        coerceTypes,
        // Bounded: bodies are small, and strings and arrays in them have limits.
        allErrors: true,
        strictTypes: false,
        // Compiling JSON Schema's own schema, twice, was a third of the start. Our schemas are our own, and a keyword that
        // is unknown or has a value of a wrong type still stops the start, when its route is compiled.
        meta: false,
        validateSchema: false,
      },
    });
  const [asSent, fromText] = [compiler(false), compiler(true)];
  // Fastify calls it with the route's definition, not with a bare schema as ajv's own type says.
  return (route) =>
    typeof route === 'object' && 'httpPart' in route && route.httpPart === 'body' ? asSent(route) : fromText(route);
};
