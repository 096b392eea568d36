import { isDomainError } from '@cardwright/protocol';
import { accessTokenAnswer } from './answers.ts';
import { type Call, type Exchange, exchange } from './exchange.http.ts';
import type { SignIn } from './sign-in.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKENS = '/agent/tokens';

/**
 * One request as this device: with its token, until the server asks for more because the device was attested; then with
 * access tokens that last minutes, got for assertions of its hardware. The audience of an assertion is the address that is
 * spoken to, whatever the server says: so no server can have one made for another.
 */
export async function asDevice<T>(
  limits: Exchange,
  deviceToken: string,
  signIn: SignIn | undefined,
  call: Call<T>,
): Promise<T> {
  const url = limits.baseUrl;
  const held = signIn?.held(url);
  try {
    return await exchange({ ...limits, bearer: held ?? deviceToken }, call);
  } catch (error) {
    if (signIn === undefined || !isDomainError(error)) throw error;
    if (held !== undefined && error.code === 'token-invalid') {
      signIn.forget(url);
      return asDevice(limits, deviceToken, signIn, call);
    }
    const deviceId = error.code === 'assertion-required' ? error.data?.deviceId : undefined;
    if (typeof deviceId !== 'string') throw error;
    const assertion = await signIn.assertion(deviceId, `${url}/api/v1${TOKENS}`);
    // One attempt: an assertion is taken once, and a lost answer is asked for with another one.
    const { accessToken, expiresInSeconds } = await exchange(
      { ...limits, attempts: 1 },
      { method: 'POST', path: TOKENS, body: { grantType: GRANT_TYPE, assertion }, answer: accessTokenAnswer },
    );
    signIn.keep(url, accessToken, expiresInSeconds);
    return exchange({ ...limits, bearer: accessToken }, call);
  }
}
