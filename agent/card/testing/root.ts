import { type Bytes, cardPolicies, PIN_PROVED, TPM_ALG, TPM_CC, TPM_RH, u32, Writer } from '@cardwright/protocol/tpm';
import { type Authorizer, EMPTY_AUTH, type Entity, isRefusal, PolicySession, type Tpm } from '../../tpm/index.ts';

const NONE = new Uint8Array();
const OWNER: Entity = { handle: TPM_RH.OWNER, name: u32(TPM_RH.OWNER) };

/** What TPM2_PolicySecret gives to who asks for it: TPM2B_TIMEOUT's bytes and a TPMT_TK_AUTH. */
export interface SecretTicket {
  readonly timeout: Bytes;
  readonly bytes: Bytes;
}

/** Root on the device: any command, any session, and the owner's (empty) password. Only the PIN and the key are not his. */
export class Root {
  readonly #tpm: Tpm;

  constructor(tpm: Tpm) {
    this.#tpm = tpm;
  }

  /** A password session: the attacker's way, since it costs him nothing to show a guess. */
  password(guess: string): Authorizer {
    return { begin: () => ({ ...EMPTY_AUTH.begin(), hmac: () => new TextEncoder().encode(guess) }) };
  }

  policy<T>(work: (session: PolicySession) => Promise<T>): Promise<T> {
    return PolicySession.during(this.#tpm, work);
  }

  /** A command without parameters of ours, such as PolicyAuthValue. */
  async on(session: PolicySession, code: number): Promise<void> {
    await this.#tpm.run({ code, handles: [session] });
  }

  run(
    code: number,
    handles: readonly Entity[],
    authorizers: readonly Authorizer[],
    parameters: Bytes,
  ): Promise<unknown> {
    return this.#tpm.run({ code, handles, authorizers, parameters });
  }

  async undefine(index: Entity): Promise<void> {
    await this.run(0x122, [OWNER, index], [EMPTY_AUTH], NONE);
  }

  /** The same public area, his own PIN. */
  async define(nvPublic: Bytes, pin: string): Promise<void> {
    const parameters = new Writer().sized(new TextEncoder().encode(pin)).sized(nvPublic).done();
    await this.run(0x12a, [OWNER], [EMPTY_AUTH], parameters);
  }

  write(index: Entity, data: Bytes, authorizer: Authorizer, as: Entity = index): Promise<unknown> {
    return this.run(0x137, [as, index], [authorizer], new Writer().sized(data).u16(0).done());
  }

  read(index: Entity, authorizer: Authorizer): Promise<unknown> {
    return this.run(0x14e, [index, index], [authorizer], new Writer().u16(8).u16(0).done());
  }

  writeAsOwner(index: Entity, data: Bytes): Promise<unknown> {
    return this.write(index, data, EMPTY_AUTH, OWNER);
  }

  sign(key: Entity, authorizer: Authorizer): Promise<unknown> {
    const parameters = new Writer().sized(new Uint8Array(32)).u16(TPM_ALG.ECDSA).u16(TPM_ALG.SHA256);
    return this.run(0x15d, [key], [authorizer], parameters.u16(0x8024).u32(TPM_RH.NULL).sized(NONE).done());
  }

  /** PolicySecret with the PIN, and a ticket that holds for `-expirationSeconds`. */
  ticket(index: Entity, pin: string, expirationSeconds: number): Promise<SecretTicket> {
    return this.policy(async (session) => {
      const { parameters } = await this.#tpm.run({
        code: TPM_CC.PolicySecret,
        handles: [index, session],
        authorizers: [this.password(pin)],
        parameters: new Writer()
          .sized(NONE)
          .sized(NONE)
          .sized(NONE)
          .u32(expirationSeconds >>> 0)
          .done(),
      });
      return { timeout: parameters.sized(64, 'timeout'), bytes: parameters.rest() };
    });
  }

  /** TPM2_PolicyTicket: as if the PIN had been proved to this session. */
  useTicket(session: PolicySession, { timeout, bytes }: SecretTicket, indexName: Bytes): Promise<unknown> {
    const parameters = new Writer().sized(timeout).sized(NONE).sized(NONE).sized(indexName).bytes(bytes).done();
    return this.run(0x172, [session], [], parameters);
  }

  /** TPM2_PolicyNV as the card's keys want it. Gives what came back with it: nothing. */
  async provePin(session: PolicySession, index: Entity, authorizer: Authorizer, as: Entity = index): Promise<Bytes> {
    const { operand, offset, operation } = PIN_PROVED;
    const { parameters } = await this.#tpm.run({
      code: TPM_CC.PolicyNV,
      handles: [as, index, session],
      authorizers: [authorizer],
      parameters: new Writer().sized(operand).u16(offset).u16(operation).done(),
    });
    return parameters.rest();
  }

  /** TPM_PT_LOCKOUT_COUNTER: the wrong tries that count for the whole TPM. */
  async lockoutCounter(): Promise<number> {
    const parameters = new Writer().u32(6).u32(0x20e).u32(1).done();
    const response = await this.#tpm.run({ code: TPM_CC.GetCapability, parameters });
    const [, , , property, value] = [
      response.parameters.u8('moreData'),
      response.parameters.u32('capability'),
      response.parameters.u32('count'),
      response.parameters.u32('property'),
      response.parameters.u32('value'),
    ];
    if (property !== 0x20e || value === undefined) throw new Error('another property');
    return value;
  }

  /** PolicyOR over the card's own branches. */
  async openBranch(session: PolicySession, administratorKeyName: Bytes): Promise<void> {
    await session.or(cardPolicies(administratorKeyName).branches);
  }
}

/** The response code of a refusal, in hex; `done` if it was done after all. */
export async function outcome(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'done';
  } catch (error) {
    if (isRefusal(error)) return error.rc.toString(16);
    throw error;
  }
}
