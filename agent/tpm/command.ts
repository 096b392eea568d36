import { type Bytes, concat, Reader, sha256, u32, Writer } from '@cardwright/protocol/tpm';
import type { Authorization, Authorizer, SessionAnswer } from './authorization.ts';
import { TpmRefusal } from './response-code.ts';
import { malformed } from './transport-errors.ts';

const NO_SESSIONS = 0x8001;
const SESSIONS = 0x8002;

/** Something in the TPM: its handle for now, and its Name, by which every authorisation is bound to it. */
export interface Entity {
  readonly handle: number;
  readonly name: Bytes;
}

export interface Command {
  /** TPM_CC */
  readonly code: number;
  readonly handles?: readonly Entity[];
  /** One for each handle that needs it, in order; then those that only hide the first parameter. */
  readonly authorizers?: readonly Authorizer[];
  readonly parameters?: Bytes;
  /** The response begins with a handle. */
  readonly givesHandle?: boolean;
  /** If not said: enough for anything but making a key. */
  readonly timeoutMs?: number;
}

export interface Response {
  /** 0 if the command gives none. */
  readonly handle: number;
  /** At its parameters. `tpm-response-malformed` if they are not what is read. */
  readonly parameters: Reader;
  /** Wipes what was enciphered on its way here. */
  readonly forget?: () => void;
}

export interface Encoded {
  readonly bytes: Bytes;
  readonly authorizations: readonly Authorization[];
}

/** Part 1, section 16: the command's header, handles, authorisation area and parameters. */
export function encodeCommand(command: Command): Encoded {
  const handles = command.handles ?? [];
  const authorizations = (command.authorizers ?? []).map((authorizer) => authorizer.begin());
  const parameters = hideFirst(command.parameters ?? new Uint8Array(), authorizations);
  const cpHash = sha256(u32(command.code), ...handles.map((entity) => entity.name), parameters);
  const area = concat(...authorizations.map((authorization) => encodeAuthorization(authorization, cpHash)));
  const body = new Writer();
  for (const entity of handles) body.u32(entity.handle);
  if (authorizations.length > 0) body.u32(area.length).bytes(area);
  const rest = body.bytes(parameters).done();
  const tag = authorizations.length > 0 ? SESSIONS : NO_SESSIONS;
  return {
    bytes: new Writer()
      .u16(tag)
      .u32(10 + rest.length)
      .u32(command.code)
      .bytes(rest)
      .done(),
    authorizations,
  };
}

/** Throws TpmRefusal for what the TPM refused, `tpm-response-malformed`, `tpm-response-forged`. */
export function decodeResponse(bytes: Bytes, command: Command, authorizations: readonly Authorization[]): Response {
  const reader = responseReader(bytes);
  const tag = reader.u16('tag');
  if (reader.u32('responseSize') !== bytes.length) throw malformed('responseSize is not the size of the response');
  const rc = reader.u32('responseCode');
  if (rc !== 0) throw new TpmRefusal(rc, command.code);
  if (tag !== (authorizations.length > 0 ? SESSIONS : NO_SESSIONS))
    throw malformed(`unexpected tag 0x${tag.toString(16)}`);
  const handle = command.givesHandle === true ? reader.u32('handle') : 0;
  if (authorizations.length === 0) return { handle, parameters: responseReader(reader.rest()) };
  const size = reader.u32('parameterSize');
  if (size > reader.left) throw malformed(`parameters of ${size} bytes where ${reader.left} are left`);
  const parameters = reader.bytes(size, 'parameters');
  const rpHash = sha256(u32(rc), u32(command.code), parameters);
  let revealed: Bytes | undefined;
  for (const authorization of authorizations) {
    const answer = readAnswer(reader);
    authorization.accept(rpHash, answer);
    if (authorization.reveal !== undefined) revealed = revealFirst(parameters, authorization.reveal, answer);
  }
  reader.end();
  if (revealed === undefined) return { handle, parameters: responseReader(parameters) };
  return { handle, parameters: responseReader(revealed), forget: () => revealed.fill(0) };
}

/** As {@link hideFirst}, the other way. */
function revealFirst(parameters: Bytes, reveal: NonNullable<Authorization['reveal']>, answer: SessionAnswer): Bytes {
  const reader = responseReader(parameters);
  const first = reveal(reader.sized(reader.left, 'first parameter'), answer);
  const whole = new Writer().sized(first).bytes(reader.rest()).done();
  first.fill(0);
  return whole;
}

function responseReader(bytes: Bytes): Reader {
  return new Reader(bytes, 'tpm-response-malformed');
}

function encodeAuthorization(authorization: Authorization, cpHash: Bytes): Bytes {
  return new Writer()
    .u32(authorization.handle)
    .sized(authorization.nonceCaller)
    .u8(authorization.attributes)
    .sized(authorization.hmac(cpHash))
    .done();
}

function readAnswer(reader: Reader): SessionAnswer {
  const nonceTpm = reader.sized(64, 'nonceTPM');
  const attributes = reader.u8('sessionAttributes');
  return { nonceTpm, attributes, hmac: reader.sized(64, 'hmac') };
}

/** Part 1, section 21: only the bytes of the first TPM2B are hidden, not its size. */
function hideFirst(parameters: Bytes, authorizations: readonly Authorization[]): Bytes {
  const hiding = authorizations.find((authorization) => authorization.encrypt !== undefined);
  if (hiding?.encrypt === undefined) return parameters;
  const reader = new Reader(parameters);
  const first = reader.sized(reader.left, 'first parameter');
  return new Writer().sized(hiding.encrypt(first)).bytes(reader.rest()).done();
}
