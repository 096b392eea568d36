import { describe, expect, it } from 'vitest';
import { proxyFor } from './proxy.ts';

const PROXY = { HTTPS_PROXY: 'http://proxy.example.org:3128' };
const THERE = { host: 'proxy.example.org', port: 3128, authorization: undefined };

describe('the proxy', () => {
  it.each([
    ['https://cards.example.org', PROXY, THERE],
    ['https://cards.example.org', { https_proxy: 'http://proxy.example.org:3128', HTTPS_PROXY: 'http://x' }, THERE],
    ['https://cards.example.org', { ...PROXY, HTTPS_PROXY: 'http://[::1]' }, { ...THERE, host: '::1', port: 80 }],
    ['https://cards.example.org', {}, undefined],
    ['https://cards.example.org', { HTTPS_PROXY: '' }, undefined],
    // Clear http is for this machine, and must not leave it.
    ['http://127.0.0.1:8080', PROXY, undefined],
    ['https://127.0.0.1:8443', PROXY, undefined],
    ['https://localhost', PROXY, undefined],
    ['https://cards.example.org', { ...PROXY, NO_PROXY: '*' }, undefined],
    ['https://cards.example.org', { ...PROXY, NO_PROXY: 'x.org, cards.example.org' }, undefined],
    ['https://cards.example.org', { ...PROXY, NO_PROXY: 'example.org' }, undefined],
    ['https://cards.example.org', { ...PROXY, NO_PROXY: '.EXAMPLE.org' }, undefined],
    ['https://cards.example.org:8443', { ...PROXY, NO_PROXY: 'example.org:8443' }, undefined],
    ['https://cards.example.org', { ...PROXY, NO_PROXY: 'example.org:8443' }, THERE],
    ['https://badexample.org', { ...PROXY, NO_PROXY: 'example.org' }, THERE],
    ['https://cards.example.org', { ...PROXY, NO_PROXY: ',, ' }, THERE],
  ])('for %s with %j is %j', (server, environment, expected) => {
    expect(proxyFor(server, environment)).toEqual(expected);
  });

  it('is told the user of its URL', () => {
    const proxy = proxyFor('https://x.org', { HTTPS_PROXY: 'http://mary:p%40ss@proxy:8080' });
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from('mary:p@ss').toString('base64')}`);
  });

  it.each(['proxy:3128', 'https://secret@proxy', 'socks5://secret@proxy', '://secret', 'http://'])(
    'named by %s is refused, and the setting is not shown',
    (setting) => {
      const ask = () => proxyFor('https://cards.example.org', { HTTPS_PROXY: setting });
      expect(ask).toThrow(expect.objectContaining({ code: 'proxy-invalid' }));
      expect(ask).not.toThrow(/secret/);
    },
  );
});
