import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

/** What swtpm_localca signs endorsement key certificates with, and its root. */
const CERTIFICATES = ['issuercert.pem', 'swtpm-localca-rootca-cert.pem'];

/**
 * Puts the maker of the software TPM in `stateDir` among those whom cms trusts to say what is a TPM (`rootsDir`, as
 * CMS_TPM_ROOTS_DIR names it), under a `name`. For trials only: software proves nothing.
 */
export function trustMaker(stateDir: string, rootsDir: string, name: string): void {
  for (const file of CERTIFICATES) copyFileSync(join(stateDir, 'maker-ca', file), join(rootsDir, `${name}-${file}`));
}
