import { expect, test } from 'vitest';
import { tokenRefusal } from './token-client.pkcs11.ts';
import { failureOf } from './token-failure.pkcs11.ts';

/** As pkcs11js throws them; SoftHSM locks no PIN and lets none expire, so those codes never come from it. */
const thrown = (code: number) => Object.assign(new Error(`CKR 0x${code.toString(16)}`), { code, method: 'C_Login' });

test.each([
  ['CKR_PIN_INCORRECT', 0xa0, 'pin-wrong', 'unprocessable vault-token-pin-wrong'],
  ['CKR_PIN_INVALID', 0xa1, 'pin-wrong', 'unprocessable vault-token-pin-wrong'],
  ['CKR_PIN_LEN_RANGE', 0xa2, 'pin-wrong', 'unprocessable vault-token-pin-wrong'],
  ['CKR_PIN_EXPIRED', 0xa3, 'pin-wrong', 'unprocessable vault-token-pin-wrong'],
  ['CKR_PIN_LOCKED', 0xa4, 'pin-locked', 'unprocessable vault-token-pin-locked'],
  ['CKR_DEVICE_REMOVED', 0x32, 'away', 'unavailable vault-token-away'],
  ['CKR_SESSION_HANDLE_INVALID', 0xb3, 'away', 'unavailable vault-token-away'],
  ['CKR_GENERAL_ERROR', 0x05, 'failed', 'internal vault-token-failed'],
])('%s is %s', (_, code, reason, refused) => {
  const failure = failureOf(thrown(code));
  expect(failure).toMatchObject({ reason, detail: expect.stringContaining('C_Login') });
  const refusal = tokenRefusal(failure, { tokenLabel: 'a token', pinFile: '/run/pin' });
  expect(`${refusal.kind} ${refusal.code}`).toBe(refused);
});
