import { assertionInput } from '@cardwright/protocol/attestation';
import type { DeviceAttestation } from '../attestation/port.ts';

/** How a device that was attested gets access: with assertions that its hardware signs (RFC 7523). */
export interface SignIn {
  /** A token from before that should still hold. */
  held(url: string): string | undefined;
  forget(url: string): void;
  keep(url: string, accessToken: string, expiresInSeconds: number): void;
  /** A signed JWT for the token endpoint `audience`, used once. */
  assertion(deviceId: string, audience: string): Promise<string>;
}

export interface SignInPorts {
  now(): Date;
  randomBytes(length: number): Uint8Array;
  withAttestation<T>(work: (attestation: DeviceAttestation) => Promise<T>): Promise<T>;
}

/** A token is let go so long before its end that a request with it still arrives. */
const EARLY_MS = 30_000;

/** Tokens live in this process and nowhere else: they are not worth a place on the disk. */
export function createSignIn({ now, randomBytes, withAttestation }: SignInPorts): SignIn {
  const tokens = new Map<string, { readonly accessToken: string; readonly until: number }>();
  return {
    held(url) {
      const token = tokens.get(url);
      return token !== undefined && token.until > now().getTime() ? token.accessToken : undefined;
    },
    forget: (url) => {
      tokens.delete(url);
    },
    keep(url, accessToken, expiresInSeconds) {
      tokens.set(url, { accessToken, until: now().getTime() + expiresInSeconds * 1000 - EARLY_MS });
    },
    assertion: (deviceId, audience) =>
      withAttestation(async (attestation) => {
        const keyName = Buffer.from((await attestation.identity()).name).toString('hex');
        const jti = Buffer.from(randomBytes(16)).toString('base64url');
        const input = assertionInput({ deviceId, keyName, audience, now: now(), jti });
        const signature = await attestation.sign(Buffer.from(input, 'ascii'));
        return `${input}.${Buffer.from(signature).toString('base64url')}`;
      }),
  };
}
