import { connectLink, type LinkClient } from '@cardwright/link';
import { lockoutClient } from './lockout/client.socket.ts';
import type { LockoutOperations } from './lockout/operations.ts';
import type {
  AdoptAdministratorKey,
  Alert,
  AnswerChallenge,
  BatchReport,
  ChallengeAnswer,
  ConfirmChange,
  ConfirmKey,
  DescribeKeys,
  FirstWriteAnswer,
  ImportAdministratorKey,
  ImportBatch,
  ImportedAdministratorKey,
  ImportNamedKey,
  ImportPublicKey,
  ImportPuk,
  KeyDescription,
  KeyForTpm,
  KeyOrigin,
  MakeKeyForTpm,
  NamedKey,
  ProposedReplacement,
  ProposedSuccessor,
  ProposeReplacement,
  ProposeSuccessor,
  ReadAlerts,
  Requester,
  ResetTpmCard,
  ShownPuk,
  ShowPuk,
  SignedApproval,
  SignFirstWrite,
  TpmResetAnswer,
  VaultHealth,
} from './operations.ts';

/**
 * All that anybody can ask of the vault. There is no way to read a key.
 * Every method may also throw `vault-unavailable`, `vault-timeout`, `vault-busy`, `vault-database-unavailable`
 * (unavailable) and `vault-blob-invalid`, `internal` (internal).
 */
export interface VaultClient extends LockoutOperations {
  health(): Promise<VaultHealth>;
  importKey(): Promise<ImportPublicKey>;
  /**
   * Stores the known key of an existing card, confirmed at once. The same key again gives the same answer.
   * @throws `administrator-key-not-sealed`, `-seal-invalid`, `-sealed-for-another-vault`, `-sealed-for-another-card`,
   *   `-not-hex`, `-odd-length`, `-length`, `-default` (unprocessable), `administrator-key-confirmed` (conflict): the
   *   card has a key already. With a PUK also those of importPuk; then neither is stored.
   */
  importAdministratorKey(params: ImportAdministratorKey): Promise<ImportedAdministratorKey>;
  /**
   * Takes in a key that several cards depend on: a uniform one, or the master of a fleet. Repeated, the same answer.
   * @throws as importAdministratorKey, and `administrator-key-sealed-as-another-kind`, `uniform-keys-not-allowed`,
   *   `derivation-algorithm` (unprocessable), `named-key-exists` (conflict).
   */
  importNamedKey(params: ImportNamedKey): Promise<NamedKey>;
  /** By name. */
  listNamedKeys(params: Requester): Promise<readonly NamedKey[]>;
  /**
   * Takes in a card whose key is a named key, or follows from one; confirmed at once. Repeated, the same answer.
   * @throws `uniform-keys-not-allowed`, `named-key-unknown`, `derivation-algorithm`, `key-check-value`,
   *   `administrator-key-algorithm` (unprocessable), `administrator-key-confirmed` (conflict), those of importPuk.
   */
  adoptAdministratorKey(params: AdoptAdministratorKey): Promise<ImportedAdministratorKey>;
  /**
   * Takes in many keys at once: all, or none. What is wrong with a line is in its report, not thrown.
   * @throws `import-batch-reused` (conflict).
   */
  importBatch(params: ImportBatch): Promise<BatchReport>;
  /** @throws as importAdministratorKey for the seal; `puk-malformed` (unprocessable), `puk-stored` (conflict). */
  importPuk(params: ImportPuk): Promise<void>;
  /** Once a card. @throws `puk-unknown` (not-found), `puk-already-shown` (conflict). */
  showPuk(params: ShowPuk): Promise<ShownPuk>;
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
   * Makes the next version of a TPM card's key, proposed and wrapped, with the confirmed key's approval. Each call makes
   * another one: keep what it gave.
   * @throws `administrator-key-unknown` (not-found): no confirmed key; `administrator-key-not-stored`,
   *   `too-many-successions` (conflict), `tpm-parent-unknown` (conflict): the card is older than what the vault notes of
   *   parents, `administrator-key-algorithm`, `tpm-parent-not-allowed`, `tpm-parent-of-another-device` (unprocessable),
   *   `administrator-key-versions` (too-many).
   */
  proposeSuccessor(params: ProposeSuccessor): Promise<ProposedSuccessor>;
  /**
   * Makes the next key of a card that is not in a TPM, proposed, and wraps its bytes for the TPM of the card's device.
   * @throws `administrator-key-unknown` (not-found): no confirmed key; `administrator-key-algorithm`,
   *   `tpm-parent-not-allowed` (unprocessable), `administrator-key-versions` (too-many).
   */
  proposeReplacement(params: ProposeReplacement): Promise<ProposedReplacement>;
  /**
   * The card has this version now: it becomes the confirmed one, and the bytes of every other version are destroyed.
   * Idempotent.
   * @throws `administrator-key-unknown` (not-found), `administrator-key-not-proposed` (conflict): it was not made to follow
   *   the confirmed one.
   */
  confirmChange(params: ConfirmChange): Promise<void>;
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

const originOnLink = (origin: KeyOrigin) =>
  origin.strategy === 'uniform' ? origin : { ...origin, diversifier: toText(origin.diversifier) };

const wrapped = (made: OnLink<KeyForTpm>): KeyForTpm => ({
  keyVersion: made.keyVersion,
  name: toBytes(made.name),
  public: toBytes(made.public),
  duplicate: toBytes(made.duplicate),
  inSymSeed: toBytes(made.inSymSeed),
});

const approved = (given: OnLink<SignedApproval>): SignedApproval => ({
  approvedPolicy: toBytes(given.approvedPolicy),
  signature: toBytes(given.signature),
});

/** @param socketPath the vault's socket, a path. Connects with the first call, and again when it must. */
export function connectVault(socketPath: string): VaultClient {
  return vaultClient(connectLink({ socketPath, service: 'vault' }));
}

function vaultClient(link: LinkClient): VaultClient {
  return {
    ...lockoutClient(link),
    health: () => link.call<VaultHealth>('health', {}),
    importKey: async () => (await link.call<{ jwk: ImportPublicKey }>('import-key', {})).jwk,
    importAdministratorKey: (params) => link.call<ImportedAdministratorKey>('key.import', params),
    importNamedKey: (params) => link.call<NamedKey>('named-key.import', params),
    listNamedKeys: async (params) => (await link.call<{ keys: readonly NamedKey[] }>('named-key.list', params)).keys,
    adoptAdministratorKey: (params) =>
      link.call<ImportedAdministratorKey>('key.adopt', { ...params, origin: originOnLink(params.origin) }),
    importBatch: (params) =>
      link.call<BatchReport>('key.import-batch', {
        ...params,
        lines: params.lines.map((line) => ({ ...line, origin: line.origin && originOnLink(line.origin) })),
      }),
    async importPuk(params) {
      await link.call('puk.import', params);
    },
    showPuk: (params) => link.call<ShownPuk>('puk.show', params),
    async makeKeyForTpm(params) {
      const made = await link.call<OnLink<KeyForTpm>>('key.make-for-tpm', {
        ...params,
        parentPublic: toText(params.parentPublic),
      });
      return wrapped(made);
    },
    async signFirstWrite(params) {
      const signed = await link.call<
        OnLink<Omit<FirstWriteAnswer, 'selfChange'>> & { selfChange: OnLink<FirstWriteAnswer['selfChange']> }
      >('tpm.first-write', { ...params, nonce: toText(params.nonce) });
      return {
        answer: toBytes(signed.answer),
        selfChange: approved(signed.selfChange),
        expirationSeconds: signed.expirationSeconds,
      };
    },
    async confirmKey(params) {
      await link.call('key.confirm', params);
    },
    async proposeSuccessor(params) {
      const made = await link.call<
        OnLink<Omit<ProposedSuccessor, 'approval' | 'rehearsal'>> &
          Record<'approval' | 'rehearsal', OnLink<SignedApproval>>
      >('key.propose-successor', { ...params, parentPublic: toText(params.parentPublic) });
      return { ...wrapped(made), approval: approved(made.approval), rehearsal: approved(made.rehearsal) };
    },
    async proposeReplacement(params) {
      const made = await link.call<OnLink<ProposedReplacement>>('key.propose-replacement', {
        ...params,
        parentPublic: toText(params.parentPublic),
      });
      return { ...wrapped(made), algorithm: made.algorithm, kcv: made.kcv };
    },
    async confirmChange(params) {
      await link.call('key.confirm-change', params);
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
