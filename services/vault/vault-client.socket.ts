import { connectLink, type LinkClient } from '@cardwright/link';
import type {
  Alert,
  AnswerChallenge,
  ChallengeAnswer,
  ConfirmKey,
  DescribeKeys,
  FirstWriteAnswer,
  ImportAdministratorKey,
  ImportedAdministratorKey,
  ImportPublicKey,
  KeyDescription,
  KeyForTpm,
  MakeKeyForTpm,
  ReadAlerts,
  ResetTpmCard,
  SignFirstWrite,
  TpmResetAnswer,
  VaultHealth,
} from './operations.ts';

/**
 * All that anybody can ask of the vault. There is no way to read a key.
 * Every method may also throw `vault-unavailable`, `vault-timeout`, `vault-busy`, `vault-database-unavailable`
 * (unavailable) and `vault-blob-invalid`, `internal` (internal).
 */
export interface VaultClient {
  health(): Promise<VaultHealth>;
  importKey(): Promise<ImportPublicKey>;
  /**
   * Stores the known key of an existing card, confirmed at once. The same key again gives the same answer.
   * @throws `administrator-key-not-sealed`, `-seal-invalid`, `-sealed-for-another-vault`, `-sealed-for-another-card`,
   *   `-not-hex`, `-odd-length`, `-length`, `-default` (unprocessable), `administrator-key-confirmed` (conflict): the
   *   card has a key already.
   */
  importAdministratorKey(params: ImportAdministratorKey): Promise<ImportedAdministratorKey>;
  /**
   * Makes the next version of the card's key, proposed, and wraps it in the same act; no version is wrapped twice.
   * @throws `tpm-parent-not-allowed` (unprocessable), `administrator-key-confirmed` (conflict).
   */
  makeKeyForTpm(params: MakeKeyForTpm): Promise<KeyForTpm>;
  /**
   * Once a key version. Repeated with the same nonce and index (a lost reply) it gives the same answer.
   * @throws `administrator-key-unknown` (not-found), `first-write-already-signed`, `administrator-key-confirmed`
   *   (conflict), `administrator-key-algorithm` (unprocessable).
   */
  signFirstWrite(params: SignFirstWrite): Promise<FirstWriteAnswer>;
  /**
   * Idempotent.
   * @throws `administrator-key-unknown` (not-found), `first-write-not-signed`, `administrator-key-confirmed` (conflict):
   *   another version is.
   */
  confirmKey(params: ConfirmKey): Promise<void>;
  /**
   * @throws `administrator-key-unknown` (not-found), `administrator-key-not-confirmed` (conflict),
   *   `nv-index-not-of-this-card`, `administrator-key-algorithm` (unprocessable).
   */
  resetTpmCard(params: ResetTpmCard): Promise<TpmResetAnswer>;
  /**
   * @throws `administrator-key-unknown` (not-found), `administrator-key-not-confirmed` (conflict), `challenge-length`,
   *   `administrator-key-algorithm` (unprocessable).
   */
  answerChallenge(params: AnswerChallenge): Promise<ChallengeAnswer>;
  /** All versions, oldest first; of an unknown card none. */
  describeKeys(params: DescribeKeys): Promise<readonly KeyDescription[]>;
  /** What an operator should be told of, oldest first. */
  alerts(params: ReadAlerts): Promise<readonly Alert[]>;
  close(): Promise<void>;
}

type OnLink<T> = { readonly [K in keyof T]: T[K] extends Uint8Array ? string : T[K] };

const toText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

/** @param socketPath the vault's socket, a path. Connects with the first call, and again when it must. */
export function connectVault(socketPath: string): VaultClient {
  return vaultClient(connectLink({ socketPath, service: 'vault' }));
}

function vaultClient(link: LinkClient): VaultClient {
  return {
    health: () => link.call<VaultHealth>('health', {}),
    importKey: async () => (await link.call<{ jwk: ImportPublicKey }>('import-key', {})).jwk,
    importAdministratorKey: (params) => link.call<ImportedAdministratorKey>('key.import', params),
    async makeKeyForTpm(params) {
      const made = await link.call<OnLink<KeyForTpm>>('key.make-for-tpm', {
        ...params,
        parentPublic: toText(params.parentPublic),
      });
      return {
        keyVersion: made.keyVersion,
        name: toBytes(made.name),
        public: toBytes(made.public),
        duplicate: toBytes(made.duplicate),
        inSymSeed: toBytes(made.inSymSeed),
      };
    },
    async signFirstWrite(params) {
      const signed = await link.call<
        OnLink<Omit<FirstWriteAnswer, 'selfChange'>> & { selfChange: OnLink<FirstWriteAnswer['selfChange']> }
      >('tpm.first-write', { ...params, nonce: toText(params.nonce) });
      return {
        answer: toBytes(signed.answer),
        selfChange: {
          approvedPolicy: toBytes(signed.selfChange.approvedPolicy),
          signature: toBytes(signed.selfChange.signature),
        },
        expirationSeconds: signed.expirationSeconds,
      };
    },
    async confirmKey(params) {
      await link.call('key.confirm', params);
    },
    async resetTpmCard(params) {
      const signed = await link.call<OnLink<TpmResetAnswer>>('tpm.reset', {
        ...params,
        resetNonce: toText(params.resetNonce),
        writeNonce: toText(params.writeNonce),
      });
      return {
        resetAnswer: toBytes(signed.resetAnswer),
        writeAnswer: toBytes(signed.writeAnswer),
        expirationSeconds: signed.expirationSeconds,
      };
    },
    async answerChallenge(params) {
      const answered = await link.call<OnLink<ChallengeAnswer>>('answer', {
        ...params,
        challenge: toText(params.challenge),
      });
      return { response: toBytes(answered.response) };
    },
    describeKeys: async (params) =>
      (await link.call<{ versions: readonly KeyDescription[] }>('key.describe', params)).versions,
    alerts: async (params) => (await link.call<{ alerts: readonly Alert[] }>('alerts', params)).alerts,
    close: () => link.close(),
  };
}
