import { OID } from '../asn1/oids.ts';
import { readDer } from '../asn1/reader.ts';
import { certificateBody } from '../x509/certificate.ts';
import {
  authorityInformationAccess,
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoints,
  distinguishedName,
  extendedKeyUsage,
  keyUsage,
  ocspNoCheck,
  type PublishedAt,
  securityIdentifier,
  subjectKeyIdentifier,
} from '../x509/extensions.ts';
import { CERTIFICATE_BOUNDS, keyBits, keyIdentifier, keyType } from '../x509/public-key.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';
import { subjectAltName } from '../x509/subject-alt-name.ts';
import type { Intent } from './intent.ts';

export interface CertificateOrder extends Intent {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** null for profiles without AIA and CDP. */
  readonly publishedAt: PublishedAt | null;
}

/** Makes the body (TBSCertificate) that an order describes; it can be signed only after the lint has passed it. */
export function buildCertificate(order: CertificateOrder): Buffer {
  const { profile, issuer, publishedAt } = order;
  const subject = distinguishedName(order);
  const type = keyType(readDer(order.publicKey, CERTIFICATE_BOUNDS));
  if (type === null) throw new RangeError('a key that is neither EC nor RSA');
  const names = subjectAltName(order.subjectAltName);
  const extensions = [
    basicConstraints(profile.ca),
    keyUsage(profile.keyUsage[type]),
    subjectKeyIdentifier(keyIdentifier(keyBits(order.publicKey))),
    ...(issuer === null ? [] : [authorityKeyIdentifier(issuer.keyIdentifier)]),
    ...(profile.extendedKeyUsage.length === 0 ? [] : [extendedKeyUsage(profile.extendedKeyUsage)]),
    ...(profile.extensions[OID.ocspNoCheck] === true ? [ocspNoCheck()] : []),
    ...(names === null ? [] : [names]),
    ...(order.securityIdentifier === undefined ? [] : [securityIdentifier(order.securityIdentifier)]),
    ...(publishedAt === null ? [] : [authorityInformationAccess(publishedAt), crlDistributionPoints(publishedAt)]),
  ];
  return certificateBody({
    serialNumber: order.serialNumber,
    signatureAlgorithm: issuer === null ? signatureScheme(order.publicKey).algorithm : issuer.signatureAlgorithm,
    issuer: issuer === null ? subject : issuer.name,
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    subject,
    publicKey: order.publicKey,
    extensions,
  });
}
