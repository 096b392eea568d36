import { createPublicKey } from 'node:crypto';
import pkcs11 from 'pkcs11js';
import type { AuthorityKeyType } from './key-types.ts';
import type { Token } from './token.ts';
import { TokenRefusal, type TokenSession } from './token-session.pkcs11.ts';

type Library = pkcs11.PKCS11;
type Synchronous = {
  [K in Exclude<keyof Token, 'close'>]: (...given: Parameters<Token[K]>) => Awaited<ReturnType<Token[K]>>;
};

const LABEL = 'cardwright issuing CA';
/** Object identifiers of the curves, DER (RFC 5480 2.1.1.1), and the length of a coordinate. */
const CURVES = {
  'P-256': { parameters: Buffer.from('06082a8648ce3d030107', 'hex'), bytes: 32 },
  'P-384': { parameters: Buffer.from('06052b81040022', 'hex'), bytes: 48 },
} as const;
const LONGEST_SIGNATURE = 512;

const attribute = (type: number, value: pkcs11.Attribute['value']): pkcs11.Attribute =>
  ({ type, value }) as pkcs11.Attribute;

/** Stays in the token: private, sensitive, not extractable, and good for signatures alone. */
const PRIVATE = [
  attribute(pkcs11.CKA_TOKEN, true),
  attribute(pkcs11.CKA_PRIVATE, true),
  attribute(pkcs11.CKA_SENSITIVE, true),
  attribute(pkcs11.CKA_EXTRACTABLE, false),
  attribute(pkcs11.CKA_SIGN, true),
  attribute(pkcs11.CKA_DECRYPT, false),
  attribute(pkcs11.CKA_UNWRAP, false),
];

const named = (id: string) => [
  attribute(pkcs11.CKA_ID, Buffer.from(id, 'hex')),
  attribute(pkcs11.CKA_LABEL, LABEL),
  attribute(pkcs11.CKA_TOKEN, true),
];

/** The work itself, in the token's thread. */
export function tokenWork(token: TokenSession): Synchronous {
  return {
    makeKey: (id, type) =>
      token.with((library, session) => {
        const curve = type === 'P-256' || type === 'P-384' ? CURVES[type] : null;
        const keyType = attribute(pkcs11.CKA_KEY_TYPE, curve === null ? pkcs11.CKK_RSA : pkcs11.CKK_EC);
        const kind =
          curve === null
            ? [
                attribute(pkcs11.CKA_MODULUS_BITS, type === 'RSA-3072' ? 3072 : 4096),
                attribute(pkcs11.CKA_PUBLIC_EXPONENT, Buffer.of(1, 0, 1)),
              ]
            : [attribute(pkcs11.CKA_EC_PARAMS, curve.parameters)];
        const mechanism = curve === null ? pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN : pkcs11.CKM_EC_KEY_PAIR_GEN;
        const ofPublic = [...named(id), keyType, ...kind, attribute(pkcs11.CKA_VERIFY, true)];
        const pair = library.C_GenerateKeyPair(session, { mechanism }, ofPublic, [...named(id), keyType, ...PRIVATE]);
        return Uint8Array.from(publicKeyOf(library, session, pair.publicKey, type));
      }),

    sign: (id, algorithm, input) =>
      token.with((library, session) => {
        const key = privateKey(library, session, id);
        const mechanism = algorithm === 'ecdsa' ? pkcs11.CKM_ECDSA : pkcs11.CKM_RSA_PKCS;
        library.C_SignInit(session, { mechanism }, key);
        return Uint8Array.from(library.C_Sign(session, Buffer.from(input), Buffer.alloc(LONGEST_SIGNATURE)));
      }),
  };
}

/** A key that can be had out again was not made by this CA: it is not used. */
function privateKey(library: Library, session: Buffer, id: string): Buffer {
  const wanted = [attribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), ...named(id)];
  library.C_FindObjectsInit(session, wanted);
  const [found] = library.C_FindObjects(session, 2);
  library.C_FindObjectsFinal(session);
  if (found === undefined) throw new TokenRefusal('token-key-missing', `the token has no key of the id ${id}`);
  const [sensitive, extractable] = library.C_GetAttributeValue(session, found, [
    { type: pkcs11.CKA_SENSITIVE },
    { type: pkcs11.CKA_EXTRACTABLE },
  ]);
  const isSet = (read: pkcs11.Attribute | undefined) => Buffer.from((read?.value ?? '') as Buffer)[0] !== 0;
  if (isSet(sensitive) && !isSet(extractable)) return found;
  throw new TokenRefusal('token-key-extractable', `the key ${id} of the token is not sensitive, or can be extracted`);
}

/** SubjectPublicKeyInfo, DER. */
function publicKeyOf(library: Library, session: Buffer, handle: Buffer, type: AuthorityKeyType): Buffer {
  const read = (...types: number[]) =>
    library
      .C_GetAttributeValue(
        session,
        handle,
        types.map((each) => ({ type: each })),
      )
      .map(({ value }) => Buffer.from(value as Buffer));
  const text = (bytes: Buffer = Buffer.alloc(0)) => bytes.toString('base64url');
  if (type === 'P-256' || type === 'P-384') {
    const { bytes } = CURVES[type];
    // CKA_EC_POINT is the point in an OCTET STRING, with some libraries without: its last bytes are x and y either way.
    const [point = Buffer.alloc(0)] = read(pkcs11.CKA_EC_POINT);
    const [x, y] = [point.subarray(-2 * bytes, -bytes), point.subarray(-bytes)];
    return asInfo({ kty: 'EC', crv: type, x: text(x), y: text(y) });
  }
  const [modulus, exponent] = read(pkcs11.CKA_MODULUS, pkcs11.CKA_PUBLIC_EXPONENT);
  return asInfo({ kty: 'RSA', n: text(modulus), e: text(exponent) });
}

const asInfo = (key: { kty: string; [field: string]: string }): Buffer =>
  createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' });
