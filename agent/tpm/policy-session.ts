import {
  type Bytes,
  type NvCondition,
  POLICY_NONCE_BYTES,
  TPM_ALG,
  TPM_CC,
  TPM_RH,
  u32,
  Writer,
} from '@cardwright/protocol/tpm';
import type { Authorizer } from './authorization.ts';
import type { Entity } from './command.ts';
import type { Tpm } from './tpm.ts';
import { malformed } from './transport-errors.ts';

const POLICY_SESSION = 0x01;
const NONE = new Uint8Array();

/** A TPMT_TK_VERIFIED or TPMT_TK_AUTH, passed on as it came. */
export type Ticket = Bytes;

/**
 * A policy session: its `nonceTpm` (16 bytes) is the challenge that PolicySigned answers. Not salted: it carries no secret,
 * and what hides a parameter is a session of its own. PolicyAuthValue and PolicyPassword are left out on purpose: on a
 * PIN_FAIL index they would get round the limit of tries.
 */
export class PolicySession implements Entity {
  readonly handle: number;
  readonly name: Bytes;
  readonly nonceTpm: Bytes;
  readonly #tpm: Tpm;
  #ended = false;

  private constructor(tpm: Tpm, handle: number, nonceTpm: Bytes) {
    this.#tpm = tpm;
    this.handle = handle;
    this.name = u32(handle);
    this.nonceTpm = nonceTpm;
  }

  static async start(tpm: Tpm): Promise<PolicySession> {
    const none = { handle: TPM_RH.NULL, name: NONE };
    const { handle, parameters } = await tpm.run({
      code: TPM_CC.StartAuthSession,
      handles: [none, none],
      parameters: new Writer()
        .sized(tpm.random(POLICY_NONCE_BYTES))
        .sized(NONE)
        .u8(POLICY_SESSION)
        .u16(TPM_ALG.NULL)
        .u16(TPM_ALG.SHA256)
        .done(),
      givesHandle: true,
    });
    const nonceTpm = parameters.sized(64, 'nonceTPM');
    parameters.end();
    const session = new PolicySession(tpm, handle, nonceTpm);
    if (nonceTpm.length === POLICY_NONCE_BYTES) return session;
    await session.end();
    throw malformed(`a nonce of ${nonceTpm.length} bytes where ${POLICY_NONCE_BYTES} were asked for`);
  }

  /** Starts one for `work` and ends it whatever happens. */
  static async during<T>(tpm: Tpm, work: (session: PolicySession) => Promise<T>): Promise<T> {
    const session = await PolicySession.start(tpm);
    try {
      return await work(session);
    } finally {
      await session.end();
    }
  }

  /** Spends the session on the one command that it authorises: when that succeeds, the TPM forgets the session. */
  spending(): Authorizer {
    return {
      begin: () => ({
        handle: this.handle,
        nonceCaller: NONE,
        attributes: 0,
        hmac: () => NONE,
        accept: () => {
          this.#ended = true;
        },
      }),
    };
  }

  /** `authorizer` proves the authValue of `index` (the PIN), and what is in it is compared. Gives no ticket. */
  async nv(index: Entity, condition: NvCondition, authorizer: Authorizer): Promise<void> {
    await this.#tpm.run({
      code: TPM_CC.PolicyNV,
      handles: [index, index, this],
      authorizers: [authorizer],
      parameters: new Writer().sized(condition.operand).u16(condition.offset).u16(condition.operation).done(),
    });
  }

  /** `authorizer` proves the authValue of `entity` (the PIN). No expiry asked for, so that the TPM gives no ticket to keep. */
  async secret(entity: Entity, authorizer: Authorizer): Promise<void> {
    await this.#tpm.run({
      code: TPM_CC.PolicySecret,
      handles: [entity, this],
      authorizers: [authorizer],
      parameters: new Writer().sized(this.nonceTpm).sized(NONE).sized(NONE).u32(0).done(),
    });
  }

  async signed(
    key: Entity,
    terms: { readonly cpHash: Bytes; readonly policyRef: Bytes; readonly expirationSeconds: number },
    signature: Bytes,
  ): Promise<void> {
    await this.#tpm.run({
      code: TPM_CC.PolicySigned,
      handles: [key, this],
      parameters: new Writer()
        .sized(this.nonceTpm)
        .sized(terms.cpHash)
        .sized(terms.policyRef)
        .u32(terms.expirationSeconds)
        .bytes(signature)
        .done(),
    });
  }

  async commandCode(code: number): Promise<void> {
    await this.#tpm.run({ code: TPM_CC.PolicyCommandCode, handles: [this], parameters: u32(code) });
  }

  async authorize(approvedPolicy: Bytes, policyRef: Bytes, keyName: Bytes, ticket: Ticket): Promise<void> {
    const parameters = new Writer().sized(approvedPolicy).sized(policyRef).sized(keyName).bytes(ticket).done();
    await this.#tpm.run({ code: TPM_CC.PolicyAuthorize, handles: [this], parameters });
  }

  async or(branches: readonly Bytes[]): Promise<void> {
    const parameters = new Writer().u32(branches.length);
    for (const branch of branches) parameters.sized(branch);
    await this.#tpm.run({ code: TPM_CC.PolicyOR, handles: [this], parameters: parameters.done() });
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#tpm.flush(this.handle);
  }
}
