/** The filters of the events explorer, as they stand in the address. All filtering is the server's. */
export const FILTERS = [
  'personId',
  'deviceId',
  'cardId',
  'certificateId',
  'actorId',
  'action',
  'outcome',
  'from',
  'to',
] as const;
export type FilterName = (typeof FILTERS)[number];
export type AuditFilter = Partial<Record<Exclude<FilterName, 'outcome'>, string>> & { outcome?: 'done' | 'refused' };

const LONGEST = 200;

/** Reads an address's search parameters; what is not a filter, empty or absurdly long is left out. */
export function auditFilterOf(search: Record<string, unknown>): AuditFilter {
  const filter: AuditFilter = {};
  for (const name of FILTERS) {
    const value = search[name];
    if (typeof value !== 'string' || value.trim() === '' || value.length > LONGEST) continue;
    if (name === 'outcome') {
      if (value === 'done' || value === 'refused') filter.outcome = value;
    } else filter[name] = value.trim();
  }
  return filter;
}

/** A moment as a `datetime-local` input writes it, in the browser's zone; `` when it is none. */
export function toLocalInput(iso: string | undefined): string {
  const time = iso === undefined ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(time)) return '';
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What a `datetime-local` input says, as RFC 3339 in UTC; undefined when nothing was chosen. */
export function fromLocalInput(local: string): string | undefined {
  const time = Date.parse(local);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
