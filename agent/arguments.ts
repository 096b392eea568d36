import { parseArgs } from 'node:util';
import { DomainError } from '@cardwright/protocol';

/** An option of a command: `required` and `text` take a value, `flag` does not. */
export type OptionSpec =
  | { readonly kind: 'required' | 'text'; readonly value: string; readonly about: string }
  | { readonly kind: 'flag'; readonly about: string };
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export type Options<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K]['kind'] extends 'required'
    ? string
    : S[K]['kind'] extends 'text'
      ? string | undefined
      : boolean;
};

export const required = (value: string, about: string) => ({ kind: 'required', value, about }) as const;
export const text = (value: string, about: string) => ({ kind: 'text', value, about }) as const;
export const flag = (about: string) => ({ kind: 'flag', about }) as const;

const VALUE_MAX = 4096;

/**
 * Reads a command's options. What was typed is never repeated in an error, because a PIN may have been put there by
 * mistake. Throws, all `invalid`: `option-unknown`, `option-missing`, `option-needs-value`, `option-repeated`,
 * `option-takes-no-value`, `argument-unexpected`, `pin-on-command-line`.
 */
export function parseOptions<S extends OptionSpecs>(specs: S, argv: readonly string[]): Options<S> {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(specs).map(([name, spec]) => [name, { type: spec.kind === 'flag' ? 'boolean' : 'string' }]),
    ),
  });
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind !== 'option') {
      throw usage('argument-unexpected', 'Everything is said by options (--name value); one word stands alone.');
    }
    const { name, value, inlineValue } = token;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw unknown(name, Object.keys(specs));
    if (values.has(name)) throw usage('option-repeated', `--${name} is given more than once.`);
    if (spec.kind === 'flag') {
      if (value !== undefined) throw usage('option-takes-no-value', `--${name} takes no value.`);
      values.set(name, true);
      continue;
    }
    // `--in --out x`: the second option was meant, not a value that looks like one.
    if (value === undefined || value === '' || (value.startsWith('-') && inlineValue !== true)) {
      throw usage('option-needs-value', `--${name} needs a value: --${name} ${spec.value}`);
    }
    if (value.length > VALUE_MAX) throw usage('option-needs-value', `The value of --${name} is too long.`);
    values.set(name, value);
  }
  const result: Record<string, string | boolean | undefined> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const value = values.get(name);
    if (spec.kind === 'required' && value === undefined) {
      throw usage('option-missing', `--${name} ${spec.value} is needed: ${spec.about}.`);
    }
    result[name] = spec.kind === 'flag' ? value === true : value;
  }
  return result as Options<S>;
}

function unknown(name: string, known: readonly string[]): DomainError {
  if (/^(old-?|new-?)?(pin|puk|password)$/i.test(name)) {
    return usage(
      'pin-on-command-line',
      'A PIN is never given on a command line, where every process can read it. Type it when asked, or give it on ' +
        'standard input with --pin-stdin.',
    );
  }
  // Only a plausible name is repeated: what was glued to the dashes might be a secret.
  const shown = /^[a-z][a-z-]{0,19}$/.test(name) ? `--${name} is` : 'One is';
  return usage(
    'option-unknown',
    `${shown} no option of this command. It takes: ${known.map((k) => `--${k}`).join(' ')}`,
  );
}

const usage = (code: string, detail: string) => new DomainError('invalid', code, detail);
