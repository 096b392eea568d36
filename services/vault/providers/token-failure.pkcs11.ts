import type { TokenFailure } from './token.ts';

/** Refusals of our own within the thread; those of the token are Pkcs11Error with a CKR code. */
export class TokenRefusal extends Error {
  readonly failure: TokenFailure;
  constructor(reason: TokenFailure['reason'], detail: string) {
    super(detail);
    this.failure = { reason, detail };
  }
}

/** PKCS#11 v2.40, section 2.1 and pkcs11t.h. */
const CKR = {
  slotIdInvalid: 0x03,
  deviceError: 0x30,
  deviceMemory: 0x31,
  deviceRemoved: 0x32,
  keyHandleInvalid: 0x60,
  objectHandleInvalid: 0x82,
  operationActive: 0x90,
  pinIncorrect: 0xa0,
  pinInvalid: 0xa1,
  pinLengthRange: 0xa2,
  pinExpired: 0xa3,
  pinLocked: 0xa4,
  sessionClosed: 0xb0,
  sessionHandleInvalid: 0xb3,
  tokenNotPresent: 0xe0,
  tokenNotRecognized: 0xe1,
  userNotLoggedIn: 0x101,
  cryptokiNotInitialized: 0x190,
} as const;

const of = (...codes: number[]) => new Set(codes);
const SESSION = of(CKR.sessionClosed, CKR.sessionHandleInvalid, CKR.userNotLoggedIn, CKR.cryptokiNotInitialized);
const STUCK = of(CKR.operationActive);
const AWAY = of(
  ...[CKR.slotIdInvalid, CKR.deviceError, CKR.deviceMemory, CKR.deviceRemoved],
  ...[CKR.tokenNotPresent, CKR.tokenNotRecognized],
);
const PIN = of(CKR.pinIncorrect, CKR.pinInvalid, CKR.pinLengthRange, CKR.pinExpired);
const HANDLE = of(CKR.keyHandleInvalid, CKR.objectHandleInvalid);

export function codeOf(error: unknown): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

const among = (codes: ReadonlySet<number>) => (error: unknown) => codes.has(codeOf(error) ?? -1);
/** A new session and a new sign-in may help. */
export const isSessionLoss = (error: unknown) => among(SESSION)(error) || among(STUCK)(error);
/** The library may have to be started anew, and find the token again. */
export const isAway = (error: unknown) =>
  among(AWAY)(error) || (error instanceof TokenRefusal && error.failure.reason === 'away');
export const isStaleHandle = among(HANDLE);
/** The token judged what was given, and is well. */
export const isAboutData = (error: unknown) =>
  codeOf(error) !== undefined && !isSessionLoss(error) && !isAway(error) && !isStaleHandle(error);

/** Only the function's and the code's name of what a token says: nothing of a key. */
export function failureOf(error: unknown): TokenFailure {
  if (error instanceof TokenRefusal) return error.failure;
  const { message, method } = error as { message?: string; method?: string };
  const detail = `${method ?? 'the module'}: ${message ?? 'unknown'}`;
  if (codeOf(error) === CKR.pinLocked) return { reason: 'pin-locked', detail };
  if (among(PIN)(error)) return { reason: 'pin-wrong', detail };
  if (isAway(error) || isSessionLoss(error)) return { reason: 'away', detail };
  return { reason: 'failed', detail };
}
