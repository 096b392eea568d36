import type { Secret } from '@cardwright/protocol';
import { buildCertificate, type CertificateOrder } from '../issuance/build.ts';
import { BACKDATED_SECONDS } from '../issuance/issue.ts';
import { lintCertificate } from '../issuance/lint.ts';
import { ISSUING, ROOT } from '../issuance/profiles.ts';
import type { PublishedAt } from '../x509/extensions.ts';
import { newSerialNumber } from '../x509/serial-number.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';
import { Authority, certify, signWith } from './authority.ts';
import { type AuthorityKeyType, newKeyPair } from './key-types.ts';
import type { AuthorityFiles } from './keys.file.ts';
import { sealKey } from './sealed-key.argon2.ts';
import type { Token, TokenKey, TokenPlace } from './token.ts';

const DAY_MS = 86_400_000;
const ROOT_DAYS = 7305;
export const ISSUING_DAYS = 3652;
const TOKEN_ID_BYTES = 16;

export interface MakingOptions {
  readonly now: Date;
  readonly random: (bytes: number) => Buffer;
  /** Goes into the subjects, so that two installations never share a name. */
  readonly mark: string;
  /** Where what the root publishes is found. */
  readonly publishedAt: PublishedAt;
  readonly secret: Secret;
  readonly keyTypes: Readonly<Record<'root' | 'issuing', AuthorityKeyType>>;
  /** Where the issuing CA's key is to be made; null: in a file. */
  readonly token: (Token & Pick<TokenPlace, 'label'>) | null;
}

/** A root for 20 years and, under it, an issuing CA for 10. Nothing is written but a key in the token. */
export async function makeAuthorities(options: MakingOptions): Promise<AuthorityFiles> {
  const rootKey = await newKeyPair(options.keyTypes.root);
  const issuingKey = await makeIssuingKey(options);
  const notBefore = new Date(options.now.getTime() - BACKDATED_SECONDS * 1000);
  const order = (days: number, publicKey: Buffer) => ({
    serialNumber: newSerialNumber(options.random),
    publicKey,
    notBefore,
    notAfter: new Date(options.now.getTime() + days * DAY_MS),
    subjectAltName: {},
  });
  const rootOrder: CertificateOrder = {
    ...order(ROOT_DAYS, rootKey.publicKey.export({ type: 'spki', format: 'der' })),
    profile: ROOT,
    commonName: `Cardwright Root CA ${options.mark}`,
    issuer: null,
    publishedAt: null,
  };
  const rootSign = signWith(rootKey.privateKey);
  const { algorithm } = signatureScheme(rootOrder.publicKey);
  const root = new Authority('root', await certify(linted(rootOrder), algorithm, rootSign), rootSign);
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
    ...issuingKey.file,
  };
}

type IssuingKey = {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly file: { readonly 'issuing.key': Buffer } | { readonly 'issuing.token': Buffer };
};

async function makeIssuingKey({ token, keyTypes, secret, random }: MakingOptions): Promise<IssuingKey> {
  if (token === null) {
    const pair = await newKeyPair(keyTypes.issuing);
    const sealed = Buffer.from(await sealKey(pair.privateKey, 'issuing', secret));
    return { publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }), file: { 'issuing.key': sealed } };
  }
  // An id of its own for each attempt: a start that is killed before the file is there leaves a key that nobody uses.
  const id = random(TOKEN_ID_BYTES).toString('hex');
  const publicKey = Buffer.from(await token.makeKey(id, keyTypes.issuing));
  const note: TokenKey = { format: 'cardwright-token-key-1', label: token.label, id };
  return { publicKey, file: { 'issuing.token': Buffer.from(`${JSON.stringify(note, null, 2)}\n`) } };
}

const linted = (order: CertificateOrder) => lintCertificate(buildCertificate(order), order);
