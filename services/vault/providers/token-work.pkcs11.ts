import pkcs11 from 'pkcs11js';
import { TOKEN_KINDS, type Token, type TokenKind, type TokenObject } from './token.ts';
import { isAboutData, isStaleHandle, TokenRefusal } from './token-failure.pkcs11.ts';
import type { TokenSession } from './token-session.pkcs11.ts';

type Library = pkcs11.PKCS11;
type Handle = Buffer;
type Synchronous = {
  [K in Exclude<keyof Token, 'close'>]: (...given: Parameters<Token[K]>) => Awaited<ReturnType<Token[K]>>;
};

/** Object identifier of P-256, DER (RFC 5480 section 2.1.1.1). */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const NONCE_BYTES = 12;
const TAG_BITS = 128;
const KEY_BYTES = 32;

const CLASS: Readonly<Record<TokenKind, number>> = {
  kek: pkcs11.CKO_SECRET_KEY,
  master: pkcs11.CKO_SECRET_KEY,
  'import-key': pkcs11.CKO_PRIVATE_KEY,
  'recovery-key': pkcs11.CKO_DATA,
};

const label = (kind: TokenKind) => `cardwright ${kind}`;
const attribute = (type: number, value: pkcs11.Attribute['value']): pkcs11.Attribute =>
  ({ type, value }) as pkcs11.Attribute;

function idOf(version: number): Buffer {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(version);
  return id;
}

/** What makes it be found again: for data objects there is no CKA_ID, so there it is CKA_APPLICATION. */
function identity(kind: TokenKind, version: number | undefined, objectClass = CLASS[kind]): pkcs11.Attribute[] {
  const by = [attribute(pkcs11.CKA_CLASS, objectClass), attribute(pkcs11.CKA_LABEL, label(kind))];
  if (version !== undefined && kind !== 'recovery-key') by.push(attribute(pkcs11.CKA_ID, idOf(version)));
  return by;
}

/** Stays in the token: private, sensitive, not extractable, and not to be changed afterwards. */
const KEPT = [
  attribute(pkcs11.CKA_TOKEN, true),
  attribute(pkcs11.CKA_PRIVATE, true),
  attribute(pkcs11.CKA_SENSITIVE, true),
  attribute(pkcs11.CKA_EXTRACTABLE, false),
  attribute(pkcs11.CKA_MODIFIABLE, false),
];

const PURPOSE = {
  kek: [
    attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
    attribute(pkcs11.CKA_ENCRYPT, true),
    attribute(pkcs11.CKA_DECRYPT, true),
    attribute(pkcs11.CKA_WRAP, false),
    attribute(pkcs11.CKA_UNWRAP, false),
  ],
  master: [
    attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
    attribute(pkcs11.CKA_SIGN, true),
    attribute(pkcs11.CKA_VERIFY, false),
  ],
} as const;

function findAll(library: Library, session: Handle, template: pkcs11.Attribute[]): Handle[] {
  library.C_FindObjectsInit(session, template);
  try {
    return library.C_FindObjects(session, 256);
  } finally {
    library.C_FindObjectsFinal(session);
  }
}

function bytesOf(library: Library, session: Handle, object: Handle, type: number): Buffer {
  return library.C_GetAttributeValue(session, object, [{ type }])[0]?.value as Buffer;
}

/** The work itself, synchronous. */
export function tokenWork(token: TokenSession): Synchronous {
  const handles = new Map<string, Handle>();

  function handleOf(library: Library, session: Handle, kind: TokenKind, version: number): Handle {
    const key = `${session.toString('hex')} ${kind} ${version}`;
    const known = handles.get(key);
    if (known !== undefined) return known;
    const [found] = findAll(library, session, identity(kind, version));
    if (found === undefined) throw new TokenRefusal('gone', `the token has no ${kind} of version ${version}`);
    if (kind !== 'recovery-key') demandKept(library, session, found, kind);
    handles.set(key, found);
    return found;
  }

  /** A key that someone put there and that can be had out again is none that the vault relies on. */
  function demandKept(library: Library, session: Handle, found: Handle, kind: TokenKind): void {
    const sensitive = bytesOf(library, session, found, pkcs11.CKA_SENSITIVE)[0] === 1;
    const extractable = bytesOf(library, session, found, pkcs11.CKA_EXTRACTABLE)[0] !== 0;
    if (sensitive && !extractable) return;
    throw new TokenRefusal('extractable', `the ${kind} in the token is not sensitive, or can be extracted`);
  }

  /** Uses a key; if its handle has become stale, it is looked for once more. */
  function using<T>(kind: TokenKind, version: number, work: (library: Library, session: Handle, key: Handle) => T): T {
    return token.with((library, session) => {
      try {
        return work(library, session, handleOf(library, session, kind, version));
      } catch (error) {
        if (!isStaleHandle(error)) throw error;
        handles.clear();
        return work(library, session, handleOf(library, session, kind, version));
      }
    });
  }

  const has = (library: Library, session: Handle, kind: TokenKind, version: number) =>
    findAll(library, session, identity(kind, version)).length > 0;

  const gcm = (iv: Buffer, aad: Uint8Array): pkcs11.Mechanism => ({
    mechanism: pkcs11.CKM_AES_GCM,
    parameter: {
      type: pkcs11.CK_PARAMS_AES_GCM_v240,
      ...{ iv, aad: Buffer.from(aad), ivBits: NONCE_BYTES * 8, tagBits: TAG_BITS },
    } as pkcs11.AesGCM,
  });

  return {
    list: () =>
      token.with((library, session) => {
        handles.clear();
        return TOKEN_KINDS.flatMap((kind) =>
          findAll(library, session, identity(kind, undefined)).map((found): TokenObject => {
            if (kind === 'recovery-key') return { kind, version: 1 };
            demandKept(library, session, found, kind);
            return { kind, version: bytesOf(library, session, found, pkcs11.CKA_ID).readUInt32BE(0) };
          }),
        );
      }),
    addSecretKey: (kind, version, value) =>
      token.with((library, session) => {
        if (has(library, session, kind, version)) return;
        const template = [...identity(kind, version), ...KEPT, ...PURPOSE[kind]];
        if (value !== null) {
          const copy = Buffer.from(value);
          library.C_CreateObject(session, [...template, attribute(pkcs11.CKA_VALUE, copy)]);
          copy.fill(0);
          return;
        }
        const mechanism = kind === 'kek' ? pkcs11.CKM_AES_KEY_GEN : pkcs11.CKM_GENERIC_SECRET_KEY_GEN;
        const length = attribute(pkcs11.CKA_VALUE_LEN, KEY_BYTES);
        library.C_GenerateKey(session, { mechanism }, [...template, length]);
      }),
    addImportKey: (key) =>
      token.with((library, session) => {
        const ofPublic = [...identity('import-key', 1, pkcs11.CKO_PUBLIC_KEY)];
        if (findAll(library, session, ofPublic).length > 0 && has(library, session, 'import-key', 1)) return;
        // Half a pair, of a crash: nothing was ever sealed to it.
        for (const half of [
          ...findAll(library, session, ofPublic),
          ...findAll(library, session, identity('import-key', 1)),
        ]) {
          library.C_DestroyObject(session, half);
        }
        const curve = [attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC), attribute(pkcs11.CKA_EC_PARAMS, P256)];
        const privateTemplate = [...identity('import-key', 1), ...KEPT, attribute(pkcs11.CKA_DERIVE, true)];
        const publicTemplate = [...ofPublic, attribute(pkcs11.CKA_TOKEN, true), ...curve];
        if (key === null) {
          const mechanism = { mechanism: pkcs11.CKM_EC_KEY_PAIR_GEN };
          library.C_GenerateKeyPair(session, mechanism, publicTemplate, privateTemplate);
          return;
        }
        const scalar = attribute(pkcs11.CKA_VALUE, Buffer.from(key.scalar));
        library.C_CreateObject(session, [...privateTemplate, ...curve, scalar]);
        // CKA_EC_POINT is the point in a DER OCTET STRING (PKCS#11 v2.40 current mechanisms, 2.3.3).
        const point = Buffer.concat([Buffer.of(0x04, key.point.length), key.point]);
        library.C_CreateObject(session, [...publicTemplate, attribute(pkcs11.CKA_EC_POINT, point)]);
      }),
    addRecoveryKey: (value) =>
      token.with((library, session) => {
        const old = findAll(library, session, identity('recovery-key', 1));
        library.C_CreateObject(session, [
          ...identity('recovery-key', 1),
          attribute(pkcs11.CKA_TOKEN, true),
          attribute(pkcs11.CKA_PRIVATE, true),
          attribute(pkcs11.CKA_VALUE, Buffer.from(value)),
        ]);
        for (const each of old) library.C_DestroyObject(session, each);
      }),
    destroy: (kind, version) =>
      token.with((library, session) => {
        handles.clear();
        const found = findAll(library, session, identity(kind, version));
        if (kind === 'import-key') {
          found.push(...findAll(library, session, identity(kind, version, pkcs11.CKO_PUBLIC_KEY)));
        }
        for (const each of found) library.C_DestroyObject(session, each);
      }),
    encrypt: (version, data, associatedData) =>
      using('kek', version, (library, session, key) => {
        const iv = library.C_GenerateRandom(session, Buffer.alloc(NONCE_BYTES));
        library.C_EncryptInit(session, gcm(iv, associatedData), key);
        const sealed = library.C_Encrypt(session, Buffer.from(data), Buffer.alloc(data.length + TAG_BITS / 8));
        return Uint8Array.from(Buffer.concat([iv, sealed]));
      }),
    decrypt: (version, sealed, associatedData) =>
      using('kek', version, (library, session, key) => {
        if (sealed.length < NONCE_BYTES + TAG_BITS / 8) throw new TokenRefusal('invalid', 'too short');
        const all = Buffer.from(sealed);
        try {
          library.C_DecryptInit(session, gcm(all.subarray(0, NONCE_BYTES), associatedData), key);
          const text = all.subarray(NONCE_BYTES);
          const clear = library.C_Decrypt(session, Buffer.from(text), Buffer.alloc(text.length));
          const copy = Uint8Array.from(clear);
          clear.fill(0);
          return copy;
        } catch (error) {
          throw isAboutData(error) ? new TokenRefusal('invalid', 'a wrapped data key does not open') : error;
        }
      }),
    hmac: (version, data) =>
      using('master', version, (library, session, key) => {
        library.C_SignInit(session, { mechanism: pkcs11.CKM_SHA256_HMAC }, key);
        return Uint8Array.from(library.C_Sign(session, Buffer.from(data), Buffer.alloc(KEY_BYTES)));
      }),
    agree: (point) =>
      using('import-key', 1, (library, session, key) => {
        const mechanism = {
          mechanism: pkcs11.CKM_ECDH1_DERIVE,
          parameter: {
            type: pkcs11.CK_PARAMS_EC_DH,
            kdf: pkcs11.CKD_NULL,
            publicData: Buffer.from(point),
          } as pkcs11.ECDH1,
        };
        // What comes out opens one sealed import and nothing else, so it may leave; the private key does not.
        const secret = library.C_DeriveKey(session, mechanism, key, [
          attribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
          attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
          attribute(pkcs11.CKA_TOKEN, false),
          attribute(pkcs11.CKA_SENSITIVE, false),
          attribute(pkcs11.CKA_EXTRACTABLE, true),
          attribute(pkcs11.CKA_VALUE_LEN, KEY_BYTES),
        ]);
        const value = bytesOf(library, session, secret, pkcs11.CKA_VALUE);
        const copy = Uint8Array.from(value);
        value.fill(0);
        library.C_DestroyObject(session, secret);
        return copy;
      }),
    importPoint: () =>
      token.with((library, session) => {
        const [found] = findAll(library, session, identity('import-key', 1, pkcs11.CKO_PUBLIC_KEY));
        if (found === undefined) throw new TokenRefusal('gone', 'the token has no import key');
        return Uint8Array.from(bytesOf(library, session, found, pkcs11.CKA_EC_POINT).subarray(-65));
      }),
    recoveryKey: () =>
      using('recovery-key', 1, (library, session, found) =>
        Uint8Array.from(bytesOf(library, session, found, pkcs11.CKA_VALUE)),
      ),
    random: (count) =>
      token.with((library, session) => Uint8Array.from(library.C_GenerateRandom(session, Buffer.alloc(count)))),
  };
}
