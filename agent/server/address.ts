import { DomainError } from '@cardwright/protocol';

/**
 * The server's base URL in one form, so that it can be compared and stored: scheme, host, port and path, no slash at the
 * end. Clear HTTP is taken only to this very machine, unless the person insists: on a network, anybody on the way could
 * take the enrolment code and the device's token, and enrol a card of his own.
 *
 * Throws `server-url-invalid`, `server-url-not-https` (both `invalid`).
 */
export function serverAddress(typed: string, insecureHttp: boolean): string {
  const url = typed.length <= 512 && URL.canParse(typed) ? new URL(typed) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '') {
    throw invalid('The server is named by its URL, such as https://cards.example.org');
  }
  if (url.username !== '' || url.password !== '') throw invalid('The server URL may hold no user name or password.');
  if (url.search !== '' || url.hash !== '') throw invalid('The server URL ends with its host or path: no ? or # part.');
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecureHttp) {
    throw new DomainError(
      'invalid',
      'server-url-not-https',
      'The server must be reached by https: over http anybody on the network could read the enrolment code and take ' +
        'the card. For a trial on a network of your own: --insecure-http.',
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Names that can't leave this machine. `localhost` is one by RFC 6761 6.3. */
export function isLoopback(hostName: string): boolean {
  return hostName === 'localhost' || hostName === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostName);
}

const invalid = (detail: string) => new DomainError('invalid', 'server-url-invalid', detail);
