import { type Bytes, cardPolicies, TPM_ALG, TPM_RH, u32, Writer } from '@cardwright/protocol/tpm';
import { type Authorizer, EMPTY_AUTH, type Entity, isRefusal, PolicySession, type Tpm } from '../../tpm/index.ts';

const NONE = new Uint8Array();
const OWNER: Entity = { handle: TPM_RH.OWNER, name: u32(TPM_RH.OWNER) };

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
