/** Object identifiers by the names their standards use. */
export const OID = {
  commonName: '2.5.4.3',
  organizationName: '2.5.4.10',
  // RFC 3279, RFC 5480
  rsaKey: '1.2.840.113549.1.1.1',
  ecKey: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  // RFC 2985 5.4.2
  extensionRequest: '1.2.840.113549.1.9.14',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha384WithRsa: '1.2.840.113549.1.1.12',
  sha512WithRsa: '1.2.840.113549.1.1.13',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  // RFC 5280 4.2, 5.2, 5.3
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  caIssuers: '1.3.6.1.5.5.7.48.2',
  ocsp: '1.3.6.1.5.5.7.48.1',
  // RFC 6960
  ocspBasic: '1.3.6.1.5.5.7.48.1.1',
  ocspNonce: '1.3.6.1.5.5.7.48.1.2',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  // RFC 9336
  documentSigning: '1.3.6.1.5.5.7.3.36',
  // [MS-WCCE], [MS-PKCA]
  smartCardLogon: '1.3.6.1.4.1.311.20.2.2',
  userPrincipalName: '1.3.6.1.4.1.311.20.2.3',
  // [MS-WCCE] 2.2.2.7.7.4: szOID_NTDS_CA_SECURITY_EXT and the otherName in it
  securityIdentifier: '1.3.6.1.4.1.311.25.2',
  objectSecurityIdentifier: '1.3.6.1.4.1.311.25.2.1',
  bitLockerEncryption: '1.3.6.1.4.1.311.67.1.1',
  // RFC 4556
  pkinitClient: '1.3.6.1.5.2.3.4',
  kerberosPrincipalName: '1.3.6.1.5.2.2',
} as const;
