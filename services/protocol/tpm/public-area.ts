import { TPM_ALG } from './constants.ts';
import { objectName } from './names.ts';
import { type Bytes, Reader } from './wire.ts';

interface Common {
  readonly nameAlg: number;
  readonly attributes: number;
  readonly authPolicy: Bytes;
  /** Of its TPMT_PUBLIC, with SHA-256: meaningless if nameAlg is another. */
  readonly name: Bytes;
  /** The TPMT_PUBLIC itself. */
  readonly bytes: Bytes;
}

/** TPMT_SYM_DEF_OBJECT; `none` for keys that protect nothing. */
export type Symmetric = 'none' | { readonly algorithm: number; readonly keyBits: number; readonly mode: number };
/** TPMT_ASYM_SCHEME and the like: algorithm, and its hash if it has one. */
export type Scheme = 'none' | { readonly algorithm: number; readonly hash: number };

export interface EccPublic extends Common {
  readonly kind: 'ecc';
  readonly symmetric: Symmetric;
  readonly scheme: Scheme;
  readonly curve: number;
  readonly kdf: Scheme;
  readonly x: Bytes;
  readonly y: Bytes;
}

export interface RsaPublic extends Common {
  readonly kind: 'rsa';
  readonly symmetric: Symmetric;
  readonly scheme: Scheme;
  readonly keyBits: number;
  readonly exponent: number;
  readonly modulus: Bytes;
}

export interface KeyedHashPublic extends Common {
  readonly kind: 'keyed-hash';
  readonly scheme: Scheme;
  readonly unique: Bytes;
}

export type PublicArea = EccPublic | RsaPublic | KeyedHashPublic;

/** Longest TPMT_PUBLIC taken: RSA-4096 and some. */
const MAX_PUBLIC_BYTES = 700;

/**
 * A TPM2B_PUBLIC from outside (Part 2, section 12.2.5). Checks its form only: whether such a key may be used for something
 * is for the caller. Throws `tpm-structure-malformed`, or `code`.
 */
export function parsePublic(tpm2bPublic: Bytes, code = 'tpm-structure-malformed'): PublicArea {
  const outer = new Reader(tpm2bPublic, code);
  const bytes = outer.sized(MAX_PUBLIC_BYTES, 'public area');
  outer.end();
  return parsePublicArea(bytes, code);
}

/** The same for a bare TPMT_PUBLIC. */
export function parsePublicArea(bytes: Bytes, code = 'tpm-structure-malformed'): PublicArea {
  const reader = new Reader(bytes, code, MAX_PUBLIC_BYTES);
  const type = reader.u16('type');
  const common: Common = {
    nameAlg: reader.u16('nameAlg'),
    attributes: reader.u32('objectAttributes'),
    authPolicy: reader.sized(64, 'authPolicy'),
    name: objectName(bytes),
    bytes,
  };
  const area = readParameters(reader, type, common);
  reader.end();
  return area;
}

function readParameters(reader: Reader, type: number, common: Common): PublicArea {
  switch (type) {
    case TPM_ALG.ECC: {
      const symmetric = readSymmetric(reader);
      const scheme = readScheme(reader);
      const curve = reader.u16('curve');
      const kdf = readScheme(reader);
      const x = reader.sized(66, 'x');
      const y = reader.sized(66, 'y');
      return { ...common, kind: 'ecc', symmetric, scheme, curve, kdf, x, y };
    }
    case TPM_ALG.RSA: {
      const symmetric = readSymmetric(reader);
      const scheme = readScheme(reader);
      const keyBits = reader.u16('keyBits');
      const exponent = reader.u32('exponent') || 65_537; // zero means the default, Part 2, section 12.2.3.5
      const modulus = reader.sized(512, 'modulus');
      if (keyBits !== modulus.length * 8) reader.fail(`a modulus of ${keyBits} bits has not ${modulus.length} bytes`);
      return { ...common, kind: 'rsa', symmetric, scheme, keyBits, exponent, modulus };
    }
    case TPM_ALG.KEYEDHASH: {
      const scheme = readScheme(reader);
      return { ...common, kind: 'keyed-hash', scheme, unique: reader.sized(64, 'unique') };
    }
    default:
      return reader.fail(`type 0x${type.toString(16)} is not one of RSA, ECC, KEYEDHASH`);
  }
}

function readSymmetric(reader: Reader): Symmetric {
  const algorithm = reader.u16('symmetric algorithm');
  if (algorithm === TPM_ALG.NULL) return 'none';
  return { algorithm, keyBits: reader.u16('symmetric key bits'), mode: reader.u16('symmetric mode') };
}

/** Of the schemes that a stored key can name, all carry exactly a hash, but for NULL and RSAES (0x0015). */
function readScheme(reader: Reader): Scheme {
  const algorithm = reader.u16('scheme');
  if (algorithm === TPM_ALG.NULL) return 'none';
  if (algorithm === 0x0015) return { algorithm, hash: TPM_ALG.NULL };
  return { algorithm, hash: reader.u16('hash of the scheme') };
}
