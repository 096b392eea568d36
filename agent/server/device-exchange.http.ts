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
    return exchange({ ...limits, bearer: await newToken(limits, signIn, deviceId) }, call);
  }
}

async function newToken(limits: Exchange, signIn: SignIn, deviceId: string): Promise<string> {
  const url = limits.baseUrl;
  for (let lost = false; ; lost = true) {
    const assertion = await signIn.assertion(deviceId, `${url}/api/v1${TOKENS}`);
    const body = { grantType: GRANT_TYPE, assertion };
    try {
      const answer = await exchange(limits, { method: 'POST', path: TOKENS, body, answer: accessTokenAnswer });
      signIn.keep(url, answer.accessToken, answer.expiresInSeconds);
      return answer.accessToken;
    } catch (error) {
      // The answer to the first of several attempts was lost: an assertion is taken once, so another one is made.
      if (lost || !isDomainError(error) || error.code !== 'assertion-replayed') throw error;
    }
  }
}
