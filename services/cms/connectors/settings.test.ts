import { describe, expect, it } from 'vitest';
import { parseConnectors } from './settings.ts';

const common = { name: 'corp', issuers: '/etc/ca.pem', profiles: { 'tls-client': 'cards' } };
const cfssl = { kind: 'cfssl', ...common, url: 'http://127.0.0.1:8888/' };
const est = {
  ...{ kind: 'est', ...common, url: 'https://est.corp.example', trust: '/etc/tls.pem', namesFrom: 'request' },
  ...{ login: { user: 'cardwright', passwordFile: '/etc/password' }, names: ['email'], revokeByHand: true },
};
const script = {
  kind: 'script',
  ...common,
  issue: ['/usr/local/bin/issue'],
  names: [],
  revoke: ['/usr/local/bin/revoke'],
};
const parse = (...connectors: unknown[]) => parseConnectors(JSON.stringify({ connectors }));

describe('the file of connectors', () => {
  it('is read whole', () => {
    const [one, two, three] = parse(cfssl, { ...est, name: 'est' }, { ...script, name: 'ad-cs', hold: true });
    expect(one).toMatchObject({ kind: 'cfssl', tls: null, authenticationKeyFile: null, answerWithinMillis: 10_000 });
    expect(two).toMatchObject({ kind: 'est', revocation: 'by-hand', names: ['email'], giveUpAfterMillis: 60_000 });
    expect(three).toMatchObject({ kind: 'script', hold: true, revocation: { command: ['/usr/local/bin/revoke'] } });
  });

  it.each([
    ['no JSON', '{', 'no JSON'],
    ['a list', '[]', 'the file must be an object'],
    ['another field', '{"connectors": [], "x": 1}', 'x must be left out'],
  ])('%s is refused', (_what, text, said) => {
    expect(() => parseConnectors(text)).toThrow(said);
  });

  it.each([
    ['an unknown kind', { ...cfssl, kind: 'adcs' }, 'connectors/0/kind must be one of cfssl, est, script'],
    ['a field of another kind', { ...cfssl, issue: ['/x'] }, 'connectors/0/issue must be left out'],
    ['our own name', { ...cfssl, name: 'embedded' }, 'embedded is the name of our own CA'],
    ['a name for a shell', { ...cfssl, name: '$(id)' }, 'lower-case letters, digits and hyphens'],
    ['plain HTTP to elsewhere', { ...cfssl, url: 'http://ca.corp.example' }, 'https, or http to this machine'],
    ['a password in the URL', { ...cfssl, url: 'https://u:p@ca.corp.example' }, 'without user, query and fragment'],
    ['TLS without trust', { ...cfssl, url: 'https://ca.corp.example' }, 'connectors/0/trust must be an absolute path'],
    ['a kind that is none', { ...cfssl, profiles: { vpn: 'x' } }, 'connectors/0/profiles/vpn must be one of'],
    ['no kinds', { ...cfssl, profiles: {} }, 'an object of texts, with at least one'],
    ['patience without end', { ...cfssl, giveUpAfterSeconds: 6000 }, 'a whole number from 1 to 600'],
    ['no patience', { ...cfssl, giveUpAfterSeconds: 5 }, 'at least answerWithinSeconds'],
    ['EST and nobody signed in', { ...est, login: undefined }, 'an EST server has to know who asks'],
    [
      'no way to revoke',
      { ...est, revokeByHand: false },
      'connectors/0/revoke must be a command, or "revokeByHand": true',
    ],
    ['a command line', { ...script, issue: 'rm -rf /' }, 'a list: the absolute path of a program'],
    ['a relative program', { ...script, issue: ['issue.sh'] }, 'a list: the absolute path of a program'],
    ['unknown names', { ...script, names: ['nickname'] }, 'connectors/0/names must be different ones of'],
    [
      'a hold by hand',
      { ...script, revoke: undefined, revokeByHand: true, hold: true },
      'false where revocation is by hand',
    ],
  ])('%s is refused', (_what, connector, said) => {
    expect(() => parse(connector)).toThrow(said);
  });

  it('says all that is wrong at once, and refuses a name twice', () => {
    expect(() => parse(cfssl, cfssl)).toThrow('the name corp is there twice');
    expect(() => parse({ kind: 'script' })).toThrow(/name must be .*issuers must be .*issue must be /);
  });
});
