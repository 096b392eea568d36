import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '@cardwright/protocol';
import { buildCertificate, type CertificateOrder } from '../issuance/build.ts';
import { BACKDATED_SECONDS } from '../issuance/issue.ts';
import { lintCertificate } from '../issuance/lint.ts';
import { ISSUING, ROOT } from '../issuance/profiles.ts';
import type { PublishedAt } from '../x509/extensions.ts';
import { newSerialNumber } from '../x509/serial-number.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';
import { Authority, certify, signWith } from './authority.ts';
import type { AuthorityFiles } from './keys.file.ts';
import { sealKey } from './sealed-key.argon2.ts';

const DAY_MS = 86_400_000;
const ROOT_DAYS = 7305;
const ISSUING_DAYS = 3652;

export interface MakingOptions {
  readonly now: Date;
  readonly random: (bytes: number) => Buffer;
  /** Goes into the subjects, so that two installations never share a name. */
  readonly mark: string;
  /** Where what the root publishes is found. */
  readonly publishedAt: PublishedAt;
  readonly secret: Secret;
}

const newKeyPair = (): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> =>
  promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });

/** A root for 20 years and, under it, an issuing CA for 10; both P-256. Nothing is written. */
export async function makeAuthorities(options: MakingOptions): Promise<AuthorityFiles> {
  const rootKey = await newKeyPair();
  const issuingKey = await newKeyPair();
  const notBefore = new Date(options.now.getTime() - BACKDATED_SECONDS * 1000);
  const order = (days: number, publicKey: KeyObject) => ({
    serialNumber: newSerialNumber(options.random),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    notBefore,
    notAfter: new Date(options.now.getTime() + days * DAY_MS),
    subjectAltName: {},
  });
  const rootOrder: CertificateOrder = {
    ...order(ROOT_DAYS, rootKey.publicKey),
    profile: ROOT,
    commonName: `Cardwright Root CA ${options.mark}`,
    issuer: null,
    publishedAt: null,
  };
  const rootScheme = signatureScheme(rootOrder.publicKey);
  const rootSign = signWith(rootKey.privateKey);
  const root = new Authority('root', await certify(linted(rootOrder), rootScheme.algorithm, rootSign), rootSign);
  const issuingOrder: CertificateOrder = {
    ...order(ISSUING_DAYS, issuingKey.publicKey),
    profile: ISSUING,
    commonName: `Cardwright Issuing CA ${options.mark}`,
    issuer: root,
    publishedAt: options.publishedAt,
  };
  return {
    'root.cer': root.certificate,
    'root.key': Buffer.from(await sealKey(rootKey.privateKey, 'root', options.secret)),
    'issuing.cer': await root.certify(linted(issuingOrder)),
    'issuing.key': Buffer.from(await sealKey(issuingKey.privateKey, 'issuing', options.secret)),
  };
}

const linted = (order: CertificateOrder) => lintCertificate(buildCertificate(order), order);
