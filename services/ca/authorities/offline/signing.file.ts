import { randomBytes, X509Certificate } from 'node:crypto';
import { readCertificateList } from '../../x509/certificate-list.ts';
import { openRootCopy } from './root-copy.ts';
import { passphrase } from './root-key.file.ts';
import { readRootRequest } from './root-request.ts';
import { revokedIssuing, type Signing, signIssuing, signRootCrl } from './sign.ts';

interface Texts {
  readonly copy: string;
  readonly request: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

async function signing(env: Environment, { copy, request }: Texts, days: number, now: Date): Promise<Signing> {
  return { root: await openRootCopy(copy, await passphrase(env)), request: readRootRequest(request), days, now };
}

/** CA_ROOT_PASSPHRASE_FILE; no database, no keys' directory, no network. */
export async function signRootCrlHere(
  env: Environment,
  texts: Texts,
  { days, now, revokeIssuing }: { readonly days: number; readonly now: Date; readonly revokeIssuing: boolean },
) {
  const all = await signing(env, texts, days, now);
  const der = await signRootCrl(all, revokeIssuing ? [revokedIssuing(all.request.issuing, now)] : []);
  const { number, nextUpdate, entries } = readCertificateList(der);
  const told = `CRL ${number} of the root, ${entries.length} revoked, good until ${nextUpdate.toISOString()}`;
  return { der, told };
}

export async function signIssuingHere(
  env: Environment,
  texts: Texts,
  { days, now }: { readonly days: number; readonly now: Date },
) {
  const der = await signIssuing(await signing(env, texts, days, now), randomBytes);
  const { subject, validTo, serialNumber } = new X509Certificate(der);
  return {
    der,
    told: `${subject}, serial ${serialNumber.toLowerCase()}, good until ${new Date(validTo).toISOString()}`,
  };
}
