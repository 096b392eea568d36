/** The filters of the list of certificates, as they stand in the address. All filtering is the server's. */
const TEXTS = [
  'personId',
  'cardId',
  'deviceId',
  'serialNumber',
  'thumbprint',
  'publicKey',
  'certificateProfile',
  'authority',
  'asOf',
] as const;
export const STATUSES = ['proposed', 'active', 'on-hold', 'revoked', 'expired', 'failed'] as const;
export const ASSURANCES = ['none', 'low', 'substantial', 'high'] as const;

export type CertificateFilter = Partial<Record<(typeof TEXTS)[number], string>> & {
  status?: (typeof STATUSES)[number];
  assurance?: (typeof ASSURANCES)[number];
};

const LONGEST = 200;

/** Reads an address's search parameters; what is not a filter, empty or absurdly long is left out. */
export function certificateFilterOf(search: Record<string, unknown>): CertificateFilter {
  const filter: CertificateFilter = {};
  for (const name of TEXTS) {
    const value = search[name];
    if (typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST) filter[name] = value.trim();
  }
  const status = STATUSES.find((one) => one === search.status);
  const assurance = ASSURANCES.find((one) => one === search.assurance);
  return { ...filter, ...(status ? { status } : {}), ...(assurance ? { assurance } : {}) };
}
