import { OID } from '../asn1/oids.ts';
import { certificateBody } from '../x509/certificate.ts';
import {
  authorityInformationAccess,
  authorityKeyIdentifier,
  basicConstraints,
  commonNameOnly,
  crlDistributionPoints,
  extendedKeyUsage,
  keyUsage,
  ocspNoCheck,
  type PublishedAt,
  subjectKeyIdentifier,
} from '../x509/extensions.ts';
import { keyBits, keyIdentifier } from '../x509/public-key.ts';
import { subjectAltName } from '../x509/subject-alt-name.ts';
import type { Intent } from './intent.ts';

export interface CertificateOrder extends Intent {
  readonly serialNumber: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** null for profiles without AIA and CDP. */
  readonly publishedAt: PublishedAt | null;
}

/** Makes the body (TBSCertificate) that an order describes; it can be signed only after the lint has passed it. */
export function buildCertificate(order: CertificateOrder): Buffer {
  const { profile, issuer, publishedAt } = order;
  const subject = commonNameOnly(order.commonName);
  const names = subjectAltName(order.subjectAltName);
  const extensions = [
    basicConstraints(profile.ca),
    keyUsage(profile.keyUsage),
    subjectKeyIdentifier(keyIdentifier(keyBits(order.publicKey))),
    ...(issuer === null ? [] : [authorityKeyIdentifier(issuer.keyIdentifier)]),
    ...(profile.extendedKeyUsage.length === 0 ? [] : [extendedKeyUsage(profile.extendedKeyUsage)]),
    ...(profile.extensions[OID.ocspNoCheck] === true ? [ocspNoCheck()] : []),
    ...(names === null ? [] : [names]),
    ...(publishedAt === null ? [] : [authorityInformationAccess(publishedAt), crlDistributionPoints(publishedAt)]),
  ];
  return certificateBody({
    serialNumber: order.serialNumber,
    issuer: issuer === null ? subject : issuer.name,
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    subject,
    publicKey: order.publicKey,
    extensions,
  });
}
