import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import {
  type Bytes,
  concat,
  hmacSha256,
  kdfa,
  type StorageParent,
  shareSeed,
  TPM_ALG,
  TPM_CC,
  TPM_RH,
  u8,
  Writer,
} from '@cardwright/protocol/tpm';
import { type Authorization, type Authorizer, SESSION, type SessionAnswer } from './authorization.ts';
import type { Entity } from './command.ts';
import type { Tpm } from './tpm.ts';

const NONCE_BYTES = 16;
const HMAC_SESSION = 0x00;

/**
 * A session whose key only we and the TPM that holds `parent` know (salted, Part 1 section 19.6.8): an authValue is proved
 * by HMAC and never sent, a parameter is sent enciphered (AES-128-CFB), and a response that the TPM did not make is refused.
 * Stays open for the next command.
 */
export class HmacSession {
  readonly handle: number;
  readonly #tpm: Tpm;
  readonly #sessionKey: Bytes;
  #nonceTpm: Bytes;

  private constructor(tpm: Tpm, handle: number, sessionKey: Bytes, nonceTpm: Bytes) {
    this.#tpm = tpm;
    this.handle = handle;
    this.#sessionKey = sessionKey;
    this.#nonceTpm = nonceTpm;
  }

  static async start(tpm: Tpm, parent: Entity, parentPublic: StorageParent): Promise<HmacSession> {
    const salt = shareSeed(parentPublic, 'SECRET', tpm.random);
    const nonceCaller = tpm.random(NONCE_BYTES);
    const { handle, parameters } = await tpm.run({
      code: TPM_CC.StartAuthSession,
      handles: [parent, { handle: TPM_RH.NULL, name: new Uint8Array() }],
      parameters: new Writer()
        .sized(nonceCaller)
        .sized(salt.encrypted)
        .u8(HMAC_SESSION)
        .u16(TPM_ALG.AES)
        .u16(128)
        .u16(TPM_ALG.CFB)
        .u16(TPM_ALG.SHA256)
        .done(),
      givesHandle: true,
    });
    const nonceTpm = parameters.sized(64, 'nonceTPM');
    parameters.end();
    const sessionKey = kdfa(salt.seed, 'ATH', nonceTpm, nonceCaller, 256);
    salt.seed.fill(0);
    return new HmacSession(tpm, handle, sessionKey, nonceTpm);
  }

  /**
   * Proves `authValue` (lent until the command is done) for the handle it stands for. `hide-first` enciphers the first
   * parameter on its way to the TPM, `reveal-first` has the TPM encipher that of its response.
   */
  proving(authValue: Bytes, hide: 'hide-first' | 'reveal-first' | 'nothing-to-hide'): Authorizer {
    return { begin: () => this.#begin(authValue, hide) };
  }

  /** Stands for no handle: enciphers the first parameter of a command that something else authorises. */
  hiding(): Authorizer {
    return { begin: () => this.#begin(new Uint8Array(), 'hide-first') };
  }

  #begin(authValue: Bytes, hide: 'hide-first' | 'reveal-first' | 'nothing-to-hide'): Authorization {
    const nonceCaller = this.#tpm.random(NONCE_BYTES);
    const before = this.#nonceTpm;
    const hiding = { 'hide-first': SESSION.decrypt, 'reveal-first': SESSION.encrypt, 'nothing-to-hide': 0 }[hide];
    const attributes = SESSION.continue | hiding;
    // The HMAC's key and the cipher's both end with the authValue of the handle that the session stands for.
    const key = concat(this.#sessionKey, withoutTrailingZeros(authValue));
    const encrypt = (parameter: Bytes): Bytes => {
      const derived = kdfa(key, 'CFB', nonceCaller, before, 256);
      const cipher = createCipheriv('aes-128-cfb', derived.subarray(0, 16), derived.subarray(16, 32));
      return concat(cipher.update(parameter), cipher.final());
    };
    // The newer nonce comes first (Part 1, section 21.3): for a response it is the TPM's.
    const reveal = (parameter: Bytes, answer: SessionAnswer): Bytes => {
      const derived = kdfa(key, 'CFB', answer.nonceTpm, nonceCaller, 256);
      key.fill(0);
      const decipher = createDecipheriv('aes-128-cfb', derived.subarray(0, 16), derived.subarray(16, 32));
      const plain = decipher.update(parameter);
      derived.fill(0);
      return plain;
    };
    return {
      handle: this.handle,
      nonceCaller,
      attributes,
      hmac: (cpHash) => hmacSha256(key, cpHash, nonceCaller, before, u8(attributes)),
      accept: (rpHash, answer) => {
        this.#accept(key, nonceCaller, rpHash, answer);
        if (hide !== 'reveal-first') key.fill(0);
      },
      ...(hide === 'hide-first' ? { encrypt } : {}),
      ...(hide === 'reveal-first' ? { reveal } : {}),
    };
  }

  #accept(key: Bytes, nonceCaller: Bytes, rpHash: Bytes, answer: SessionAnswer): void {
    const expected = hmacSha256(key, rpHash, answer.nonceTpm, nonceCaller, u8(answer.attributes));
    if (answer.hmac.length !== expected.length || !timingSafeEqual(answer.hmac, expected)) {
      key.fill(0);
      const detail = 'The answer was not made by the TPM that was asked: something stands between.';
      throw new DomainError('unprocessable', 'tpm-response-forged', detail);
    }
    this.#nonceTpm = answer.nonceTpm;
  }
}

/** MemoryRemoveTrailingZeros(): the TPM keeps an authValue so (Part 1, section 19.6.4.3). */
function withoutTrailingZeros(bytes: Bytes): Bytes {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return bytes.subarray(0, length);
}
