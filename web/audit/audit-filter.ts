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
