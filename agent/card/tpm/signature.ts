import { DomainError } from '@cardwright/protocol';
import { type Bytes, type Reader, TPM_ALG } from '@cardwright/protocol/tpm';
import { SEQUENCE, tlv, unsignedInteger } from '../der.ts';
import type { SignRequest } from '../port.ts';

const HASH = {
  sha256: { algorithm: TPM_ALG.SHA256, bytes: 32 },
  sha384: { algorithm: TPM_ALG.SHA384, bytes: 48 },
  sha512: { algorithm: TPM_ALG.SHA512, bytes: 64 },
} as const;

export interface SignatureScheme {
  readonly algorithm: number;
  readonly hash: number;
}

/** Throws `digest-length`. */
export function schemeFor(kind: 'ecc' | 'rsa', request: SignRequest): SignatureScheme {
  const hash = HASH[request.hash];
  if (request.digest.length !== hash.bytes) {
    const detail = `A ${request.hash} digest has ${hash.bytes} bytes, not ${request.digest.length}.`;
    throw new DomainError('invalid', 'digest-length', detail);
  }
  if (kind === 'ecc') return { algorithm: TPM_ALG.ECDSA, hash: hash.algorithm };
  return { algorithm: request.padding === 'pss' ? TPM_ALG.RSAPSS : TPM_ALG.RSASSA, hash: hash.algorithm };
}

/** From TPMT_SIGNATURE to what X.509 and CMS have: DER r and s, or the RSA block. */
export function readSignature(reader: Reader, scheme: SignatureScheme): Bytes {
  const algorithm = reader.u16('signature algorithm');
  const hash = reader.u16('signature hash');
  if (algorithm !== scheme.algorithm || hash !== scheme.hash) reader.fail('a signature of another kind than asked for');
  if (algorithm !== TPM_ALG.ECDSA) {
    const block = reader.sized(512, 'signature');
    reader.end();
    return block;
  }
  const r = reader.sized(66, 'r');
  const s = reader.sized(66, 's');
  reader.end();
  return tlv(SEQUENCE, unsignedInteger(r), unsignedInteger(s));
}
