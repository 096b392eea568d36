/** How times and codes are written. Pure: locale and time zone are the browser's unless given. */

/** A moment, to the minute, with its zone's offset left to the tooltip. Gives the text itself if it is no time. */
export function formatTime(iso: string, locale?: string, timeZone?: string): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  return new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    ...(timeZone ? { timeZone } : {}),
  }).format(time);
}

/** A moment to the second, for audit events. */
export function formatExactTime(iso: string, locale?: string, timeZone?: string): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  return new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    ...(timeZone ? { timeZone } : {}),
  }).format(time);
}

/** A month such as `2027-11`, in words. Gives the text itself if it is none. */
export function formatMonth(month: string, locale?: string): string {
  const time = Date.parse(`${month}-01T00:00:00Z`);
  if (Number.isNaN(time)) return month;
  return new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(time);
}

/** Characters in groups, as a person copies them: `7k3m92qf` to `7K3M 92QF`. White space and `-` are dropped. */
export function inGroups(text: string, size = 4): string {
  const characters = text.replace(/[\s-]/g, '').toUpperCase();
  return characters.match(new RegExp(`.{1,${size}}`, 'g'))?.join(' ') ?? '';
}

/** A remark such as `the line is too long` as a sentence of its own. */
export function asSentence(remark: string): string {
  const text = remark.trim();
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

/** The words of an identifier such as `unblock.session-opened`, for people: `unblock session opened`. */
export function inWords(identifier: string): string {
  return identifier.replace(/[._-]+/g, ' ').trim();
}
