import { parsePublic } from '../../tpm/public-area.ts';
import { parseStoragePublic } from '../../tpm/storage-parent.ts';
import { parseAssertion } from '../assertion.ts';
import { parseAttestationKey } from '../attestation-key.ts';
import { parseCertificate } from '../certificate.ts';
import { parseEcdsaSignature } from '../ec-signature.ts';
import { type EndorsementClaim, verifyEndorsement } from '../endorsement-certificate.ts';
import { parseEndorsementKey } from '../endorsement-key.ts';
import { MADE_AT, RECORDED } from '../fixtures/recorded.ts';
import { SIGNED_LIST } from '../fixtures/revocation-list.ts';
import { parseRevocationList } from '../revocation-list.ts';
import { parseCreationData, parseStatement } from '../statement.ts';

type Bytes = Uint8Array;

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ASSERTION = Buffer.from(
  `${part({ alg: 'ES256', kid: '000b' })}.${part({ iss: 'd', sub: 'd', aud: 'a', iat: 1, exp: 2, jti: 'j'.repeat(22) })}.${'A'.repeat(86)}`,
);
const CLAIM: EndorsementClaim = {
  endorsementKey: parseEndorsementKey(RECORDED.eccEndorsementKey),
  certificate: RECORDED.eccCertificate,
  chain: [RECORDED.makerCertificate],
};
const TRUST = { roots: [parseCertificate(RECORDED.rootCertificate)], revocationLists: [], expired: 'refuse' } as const;

/** Each parser of what a device or a TPM maker sends, with well-formed samples: for fuzz() in tests and in the bench. */
export const ATTESTATION_PARSERS: Readonly<
  Record<string, { readonly parse: (input: Bytes) => unknown; readonly samples: readonly Bytes[] }>
> = {
  TPMS_ATTEST: { parse: parseStatement, samples: [RECORDED.keyStatement, RECORDED.indexStatement] },
  TPMS_CREATION_DATA: { parse: parseCreationData, samples: [RECORDED.keyCreationData] },
  TPMT_SIGNATURE: { parse: parseEcdsaSignature, samples: [RECORDED.keySignature, RECORDED.indexSignature] },
  TPM2B_PUBLIC: {
    parse: (input) => parsePublic(input),
    samples: [RECORDED.key, RECORDED.storageKey, RECORDED.rsaEndorsementKey, RECORDED.eccEndorsementKey],
  },
  'TPM2B_PUBLIC of a storage key': { parse: parseStoragePublic, samples: [RECORDED.storageKey] },
  'TPM2B_PUBLIC of an attestation key': { parse: parseAttestationKey, samples: [RECORDED.attestationKey] },
  'TPM2B_PUBLIC of an endorsement key': {
    parse: parseEndorsementKey,
    samples: [RECORDED.rsaEndorsementKey, RECORDED.eccEndorsementKey],
  },
  certificate: {
    parse: parseCertificate,
    samples: [RECORDED.rsaCertificate, RECORDED.eccCertificate, RECORDED.makerCertificate, RECORDED.rootCertificate],
  },
  'endorsement key certificate and its chain': {
    parse: (certificate) => verifyEndorsement({ ...CLAIM, certificate }, TRUST, MADE_AT),
    samples: [RECORDED.eccCertificate],
  },
  assertion: { parse: (input) => parseAssertion(Buffer.from(input).toString('latin1')), samples: [ASSERTION] },
  'certificate revocation list': { parse: parseRevocationList, samples: [SIGNED_LIST] },
};
