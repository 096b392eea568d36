import type { CertificateProfile, CertificateProfiles } from '../certificate-profiles/index.ts';

/** A version of a profile never changes: what was read once is kept, of so many. */
const KEPT = 500;

/** Only what was there is kept. */
export function keptVersions(profiles: Pick<CertificateProfiles, 'findVersion'>): CertificateProfiles['findVersion'] {
  const kept = new Map<string, CertificateProfile>();
  return async (name, version) => {
    const key = `${version} ${name}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const found = await profiles.findVersion(name, version);
    if (found !== null) {
      if (kept.size >= KEPT) kept.clear();
      kept.set(key, found);
    }
    return found;
  };
}
