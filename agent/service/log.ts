export type Facts = Readonly<Record<string, string | number | null>>;
export type Log = (event: string, facts?: Facts) => void;

/**
 * One line an event: `2026-11-20T09:00:00.000Z check-in server=https://cards.example.org cards=1`, or JSON. Facts that are
 * null are left out. Never a secret: no PIN, key, token or whole URL with a query gets here.
 */
export function logTo(print: (line: string) => void, now: () => Date, json: boolean): Log {
  return (event, facts = {}) => {
    const time = now().toISOString();
    const said = Object.entries(facts).filter(([, value]) => value !== null);
    if (json) print(JSON.stringify({ time, event, ...Object.fromEntries(said) }));
    else print([time, event, ...said.map(([name, value]) => `${name}=${shown(value)}`)].join(' '));
  };
}

/** What has spaces or quotes is quoted, so that a line can be taken apart again. */
const shown = (value: string | number | null): string =>
  typeof value === 'string' && !/^[\w.:/@+[\]-]+$/.test(value) ? JSON.stringify(value) : String(value);
