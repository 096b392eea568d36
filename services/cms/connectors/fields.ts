/** Reads one JSON object field by field. What is wrong is noted and told of all together; what nobody read is wrong too. */
export interface Fields {
  has(name: string): boolean;
  text(name: string, pattern: RegExp, what: string): string;
  number(name: string, fallback: number, most: number): number;
  flag(name: string): boolean;
  oneOf<const T extends string>(name: string, of: readonly T[]): T;
  url(name: string, protocols: readonly string[]): URL;
  /** An absolute path. */
  path(name: string): string;
  optionalPath(name: string): string | null;
  /** An absolute path of a program, then what it is given. */
  command(name: string): readonly string[];
  optionalCommand(name: string): readonly string[] | null;
  list(name: string, most: number): readonly unknown[];
  texts(name: string): Readonly<Record<string, string>>;
  optionalObject(name: string): Fields | null;
  complain(name: string, right: string): void;
  end(): void;
}

const PATH = /^\/[^\p{Cc}]{1,1023}$/u;
const NOWHERE = new URL('https://invalid/');

export function createFields(value: unknown, place: string, wrong: string[]): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const given: Readonly<Record<string, unknown>> = isObject ? (value as Record<string, unknown>) : {};
  if (!isObject) wrong.push(`${place === '' ? 'the file' : place} must be an object`);
  const used = new Set<string>();

  const take = (name: string): unknown => {
    used.add(name);
    return Object.hasOwn(given, name) ? given[name] : undefined;
  };
  const complain = (name: string, right: string) => {
    wrong.push(`${place === '' ? '' : `${place}/`}${name} must be ${right}`);
  };
  const text = (name: string, pattern: RegExp, what: string): string => {
    const found = take(name);
    if (typeof found === 'string' && pattern.test(found)) return found;
    complain(name, what);
    return '';
  };
  const path = (name: string) => text(name, PATH, 'an absolute path');
  const command = (name: string): readonly string[] => {
    const found = take(name);
    const parts = Array.isArray(found) && found.length <= 20 ? found : [];
    const right = parts.length > 0 && parts.every((one) => typeof one === 'string' && one.length <= 1024);
    if (right && PATH.test(parts[0])) return parts;
    complain(name, 'a list: the absolute path of a program, then what it is given');
    return [];
  };

  return {
    has: (name) => Object.hasOwn(given, name),
    text,
    number(name, fallback, most) {
      const found = take(name) ?? fallback;
      if (typeof found === 'number' && Number.isInteger(found) && found >= 1 && found <= most) return found;
      complain(name, `a whole number from 1 to ${most}`);
      return fallback;
    },
    flag(name) {
      const found = take(name) ?? false;
      if (typeof found !== 'boolean') complain(name, 'true or false');
      return found === true;
    },
    oneOf(name, of) {
      const found = take(name);
      const known = of.find((one) => one === found);
      if (known === undefined) complain(name, `one of ${of.join(', ')}`);
      return known ?? (of[0] as (typeof of)[number]);
    },
    url(name, protocols) {
      const found = take(name);
      const url = typeof found === 'string' && URL.canParse(found) ? new URL(found) : null;
      const plain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
      if (plain && protocols.includes(url.protocol)) return url;
      complain(name, `a URL of ${protocols.join(' or ')} without user, query and fragment`);
      return NOWHERE;
    },
    path,
    optionalPath: (name) => (Object.hasOwn(given, name) ? path(name) : null),
    command,
    optionalCommand: (name) => (Object.hasOwn(given, name) ? command(name) : null),
    list(name, most) {
      const found = take(name);
      if (Array.isArray(found) && found.length <= most) return found;
      complain(name, `a list of at most ${most}`);
      return [];
    },
    texts(name) {
      const found = take(name);
      const entries = typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.entries(found) : [];
      const right = entries.every(([, one]) => typeof one === 'string' && one.length <= 128 && !/\p{Cc}/u.test(one));
      if (entries.length > 0 && right) return Object.fromEntries(entries as [string, string][]);
      complain(name, 'an object of texts, with at least one');
      return {};
    },
    optionalObject: (name) =>
      Object.hasOwn(given, name) ? createFields(take(name), `${place === '' ? '' : `${place}/`}${name}`, wrong) : null,
    complain,
    end() {
      for (const name of Object.keys(given)) if (!used.has(name)) complain(name, 'left out: it is not known here');
    },
  };
}
