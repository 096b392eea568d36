import { DomainError, type ErrorKind } from '@cardwright/protocol';
import { TPM_CC } from '@cardwright/protocol/tpm';

/** Base codes, Part 2 section 6.6.3: format-one codes without their parameter, handle or session number. */
export const RC = {
  INITIALIZE: 0x100,
  FAILURE: 0x101,
  AUTH_UNAVAILABLE: 0x12f,
  NV_UNINITIALIZED: 0x14a,
  NV_SPACE: 0x14b,
  NV_DEFINED: 0x14c,
  ASYMMETRIC: 0x081,
  ATTRIBUTES: 0x082,
  VALUE: 0x084,
  KEY_SIZE: 0x087,
  HANDLE: 0x08b,
  AUTH_FAIL: 0x08e,
  SIZE: 0x095,
  SIGNATURE: 0x09b,
  POLICY_FAIL: 0x09d,
  INTEGRITY: 0x09f,
  BAD_AUTH: 0x0a2,
  EXPIRED: 0x0a3,
  CURVE: 0x0a6,
  OBJECT_MEMORY: 0x902,
  SESSION_MEMORY: 0x903,
  MEMORY: 0x904,
  SESSION_HANDLES: 0x905,
  OBJECT_HANDLES: 0x906,
  YIELDED: 0x908,
  TESTING: 0x90a,
  REFERENCE_H0: 0x910,
  REFERENCE_S0: 0x918,
  NV_RATE: 0x920,
  LOCKOUT: 0x921,
  RETRY: 0x922,
  NV_UNAVAILABLE: 0x923,
} as const;

const NAMES = new Map<number, string>(Object.entries(RC).map(([name, code]) => [code, name]));
const COMMANDS = new Map<number, string>(Object.entries(TPM_CC).map(([name, code]) => [code, name]));

/** The command was not done and may be sent again as it is (Part 3, section 5.2, and Part 2, table of warnings). */
export function mayRetry(rc: number): boolean {
  return ([RC.RETRY, RC.NV_RATE, RC.TESTING, RC.YIELDED, RC.NV_UNAVAILABLE] as number[]).includes(rc);
}

/** What a response code is about, without the number that says which parameter, handle or session it was. */
export function baseCode(rc: number): number {
  if ((rc & 0x080) !== 0) {
    const base = rc & 0x0bf;
    // A session's handle is taken for another session's when that one was given its place.
    return base === RC.HANDLE && (rc & 0x840) === 0x800 ? RC.REFERENCE_S0 : base;
  }
  // TPM_RC_REFERENCE_H0..H6 and S0..S6: one of the handles, one of the sessions is not loaded.
  if (rc >= RC.REFERENCE_H0 && rc <= RC.REFERENCE_S0 + 6)
    return rc < RC.REFERENCE_S0 ? RC.REFERENCE_H0 : RC.REFERENCE_S0;
  return rc & 0xfff;
}

/** A TPM said no. `rc` is what it said; callers who know what they asked give it a better code. */
export class TpmRefusal extends DomainError {
  readonly rc: number;
  readonly base: number;

  constructor(rc: number, commandCode: number) {
    const command = COMMANDS.get(commandCode) ?? `command 0x${commandCode.toString(16)}`;
    const [kind, code, detail] = meaning(rc);
    super(kind, code, `${detail} (${command}: ${describe(rc)})`, { data: { rc, command } });
    this.rc = rc;
    this.base = baseCode(rc);
  }
}

/** True if `error` is the TPM's refusal with one of these base codes; with none given, any. */
export function isRefusal(error: unknown, ...bases: readonly number[]): error is TpmRefusal {
  return error instanceof TpmRefusal && (bases.length === 0 || bases.includes(error.base));
}

function meaning(rc: number): [ErrorKind, string, string] {
  switch (baseCode(rc)) {
    case RC.INITIALIZE:
      return ['unavailable', 'tpm-not-started', 'the TPM was not started up: restart the machine or the software TPM'];
    case RC.FAILURE:
      return ['unavailable', 'tpm-failed', 'the TPM is in failure mode: restart the machine'];
    case RC.LOCKOUT:
      return [
        'unavailable',
        'tpm-locked-out',
        'the TPM itself is locked after wrong authorisations: wait, or reset its lockout',
      ];
    case RC.OBJECT_MEMORY:
    case RC.SESSION_MEMORY:
    case RC.MEMORY:
    case RC.SESSION_HANDLES:
    case RC.OBJECT_HANDLES:
      return ['unavailable', 'tpm-busy', 'the TPM has no room left: finish what else uses it, or use /dev/tpmrm0'];
    case RC.RETRY:
    case RC.TESTING:
    case RC.YIELDED:
    case RC.NV_RATE:
    case RC.NV_UNAVAILABLE:
      return ['unavailable', 'tpm-busy', 'the TPM stayed busy: try again'];
    case RC.REFERENCE_H0:
    case RC.REFERENCE_S0:
      return ['unavailable', 'tpm-session-lost', 'the TPM was restarted meanwhile: try again'];
    default:
      return ['unprocessable', 'tpm-refused', 'the TPM refused'];
  }
}

function describe(rc: number): string {
  const name = NAMES.get(baseCode(rc));
  const number = (rc >>> 8) & 0xf;
  let where = '';
  if ((rc & 0x080) !== 0 && number > 0) {
    if ((rc & 0x040) !== 0) where = `, parameter ${number}`;
    else where = number >= 8 ? `, session ${number - 8}` : `, handle ${number}`;
  }
  return `0x${rc.toString(16)}${name === undefined ? '' : ` ${name}`}${where}`;
}
