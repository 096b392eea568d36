import { expect, it } from 'vitest';
import { serverAddress } from './address.ts';

it.each([
  ['https://cards.example.org', 'https://cards.example.org'],
  ['HTTPS://Cards.Example.org:443/', 'https://cards.example.org'],
  ['https://example.org/cards//', 'https://example.org/cards'],
  ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
  ['http://localhost:8080', 'http://localhost:8080'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
  ['http://2130706433:80', 'http://127.0.0.1'],
])('%s is taken as %s', (typed, address) => {
  expect(serverAddress(typed, false)).toBe(address);
});

it.each([
  ['http://cards.example.org', 'server-url-not-https'],
  ['http://127.0.0.1.example.org', 'server-url-not-https'],
  ['http://localhost.example.org', 'server-url-not-https'],
  ['http://10.0.0.1', 'server-url-not-https'],
  ['http://0.0.0.0', 'server-url-not-https'],
  ['ftp://cards.example.org', 'server-url-invalid'],
  ['file:///etc/passwd', 'server-url-invalid'],
  ['cards.example.org', 'server-url-invalid'],
  ['https://user:word@cards.example.org', 'server-url-invalid'],
  ['https://cards.example.org/?a=b', 'server-url-invalid'],
  ['https://cards.example.org/#x', 'server-url-invalid'],
  [`https://${'x'.repeat(600)}`, 'server-url-invalid'],
  ['', 'server-url-invalid'],
])('%s is refused as %s', (typed, code) => {
  expect(() => serverAddress(typed, false)).toThrow(expect.objectContaining({ code }));
});

it('takes http to elsewhere only when the person insists', () => {
  expect(serverAddress('http://cards.example.org', true)).toBe('http://cards.example.org');
});
