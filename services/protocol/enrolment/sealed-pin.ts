import {
  createCipheriv,
  createDecipheriv,
  createHash,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { DomainError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { x25519PublicKey } from './hand-over-key.ts';

/**
 * A PIN that nobody has seen, sealed for who gets the card: a compact JWE (RFC 7516) with ECDH-ES on X25519 (RFC 7518,
 * section 4.6; RFC 8037, section 3.2) and A256GCM, so that other programs can be held against it. `apv` is the card's id: an
 * envelope that was put beside another card does not open.
 */
const ALGORITHM = 'A256GCM';
const MAX_LENGTH = 2048;

const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url');

export function sealPin(pin: Secret, publicKey: Uint8Array, cardId: string): string {
  const ephemeral = generateKeyPairSync('x25519');
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: x25519PublicKey(publicKey) });
  const { x } = ephemeral.publicKey.export({ format: 'jwk' });
  const header = base64url(
    JSON.stringify({ alg: 'ECDH-ES', enc: ALGORITHM, epk: { kty: 'OKP', crv: 'X25519', x }, apv: base64url(cardId) }),
  );
  const iv = randomBytes(12);
  const key = contentKey(shared, cardId);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header, 'ascii'));
  const sealed = pin.use((bytes) => Buffer.concat([cipher.update(bytes), cipher.final()]));
  for (const secret of [shared, key]) secret.fill(0);
  return [header, '', base64url(iv), base64url(sealed), base64url(cipher.getAuthTag())].join('.');
}

/** Throws DomainError `hand-over-envelope-invalid` (unprocessable): it was altered, or is another card's or code's. */
export function openSealedPin(envelope: string, privateKey: KeyObject, cardId: string): Secret {
  const [header = '', none = '', iv = '', sealed = '', tag = '', ...more] = envelope.split('.');
  if (envelope.length > MAX_LENGTH || none !== '' || more.length > 0) throw invalid();
  try {
    const publicKey = ephemeralOf(header, cardId);
    const shared = diffieHellman({ privateKey, publicKey });
    const key = contentKey(shared, cardId);
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), { authTagLength: 16 })
      .setAAD(Buffer.from(header, 'ascii'))
      .setAuthTag(Buffer.from(tag, 'base64url'));
    const [opened, last] = [decipher.update(sealed, 'base64url'), decipher.final()];
    for (const secret of [shared, key]) secret.fill(0);
    const pin = new Uint8Array([...opened, ...last]);
    opened.fill(0);
    return Secret.take(pin);
  } catch (cause) {
    throw invalid(cause);
  }
}

function ephemeralOf(header: string, cardId: string): KeyObject {
  const { alg, enc, epk, apv, ...more } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  const right = alg === 'ECDH-ES' && enc === ALGORITHM && apv === base64url(cardId) && Object.keys(more).length === 0;
  if (!right || epk?.kty !== 'OKP' || epk?.crv !== 'X25519' || typeof epk?.x !== 'string') throw invalid();
  return x25519PublicKey(new Uint8Array(Buffer.from(epk.x, 'base64url')));
}

/** Concat KDF (NIST SP 800-56A, section 5.8.1) with the fields of RFC 7518, section 4.6.2. One round: 256 bits. */
function contentKey(shared: Uint8Array, cardId: string): Buffer {
  const lengthAnd = (text: string) => Buffer.concat([word(Buffer.byteLength(text)), Buffer.from(text, 'utf8')]);
  const info = [lengthAnd(ALGORITHM), lengthAnd(''), lengthAnd(cardId), word(256)];
  return createHash('sha256')
    .update(Buffer.concat([word(1), shared, ...info]))
    .digest();
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function invalid(cause?: unknown): DomainError {
  const detail = 'The sealed PIN of this card was altered, or is not of this card. Have the card unblocked.';
  return new DomainError('unprocessable', 'hand-over-envelope-invalid', detail, { cause });
}
