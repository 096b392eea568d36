import type { paths } from '@cardwright/protocol/api';

/**
 * Calls as the published contract has them: a path, parameter or body that is not of the contract does not compile. What
 * comes back is not taken on trust from these types; `answers.ts` reads it.
 */
type Prefix = '/api/v1';
type Method = 'get' | 'post';

/** The paths, below /api/v1, that have the method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: P extends `${Prefix}${infer Rest}` ? (paths[P][M] extends object ? Rest : never) : never;
}[keyof paths];

type Operation<M extends Method, P extends PathOf<M>> = `${Prefix}${P}` extends infer Whole extends keyof paths
  ? paths[Whole][M]
  : never;

export type PathParameters<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { parameters: { path: infer Parameters } } ? Parameters : Record<string, never>;

export type BodyOf<P extends PathOf<'post'>> =
  Operation<'post', P> extends { requestBody: { content: { 'application/json': infer Body } } } ? Body : never;

/** Fills the parameters in, percent-encoded: an id can't step out of its place. */
export function filled(path: string, parameters: Readonly<Record<string, string>>): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined || /^\.{0,2}$/.test(value)) throw new RangeError(`no value for ${name}`);
    return encodeURIComponent(value);
  });
}
