import type { NameKind } from '../certificates/index.ts';
import { createFields, type Fields } from './fields.ts';
import { KINDS, NAME_KINDS } from './kinds.ts';

interface Common {
  readonly name: string;
  /** Path of the CA's certificates in PEM: who signs first, the root last. Nothing else is believed of it. */
  readonly issuers: string;
  /** Our certificate kind → what the CA knows it by. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly answerWithinMillis: number;
  readonly giveUpAfterMillis: number;
}

export interface TlsSettings {
  /** Path of the certificates in PEM that vouch for the server. */
  readonly trust: string;
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | null;
}

export type RevocationSetting = { readonly command: readonly string[] } | 'by-hand';

export type ConnectorSettings =
  | (Common & {
      readonly kind: 'cfssl';
      readonly url: URL;
      readonly tls: TlsSettings | null;
      readonly authenticationKeyFile: string | null;
    })
  | (Common & {
      readonly kind: 'est';
      readonly url: URL;
      readonly tls: TlsSettings;
      readonly login: { readonly user: string; readonly passwordFile: string } | null;
      readonly namesFrom: 'request' | 'ca';
      readonly names: readonly NameKind[];
      readonly revocation: RevocationSetting;
    })
  | (Common & {
      readonly kind: 'script';
      readonly issue: readonly string[];
      readonly health: readonly string[] | null;
      readonly names: readonly NameKind[];
      readonly hold: boolean;
      readonly revocation: RevocationSetting;
    });

const MOST_CONNECTORS = 20;
const LOCAL = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * What the file of CMS_CONNECTORS_FILE says: `{ "connectors": [ … ] }`, each kind with its own fields, unknown ones
 * refused. It holds no secrets, only names of files.
 * @throws Error that names all that is wrong, by its place in the file.
 */
export function parseConnectors(text: string): readonly ConnectorSettings[] {
  const wrong: string[] = [];
  const root = createFields(json(text), '', wrong);
  const entries = root.list('connectors', MOST_CONNECTORS);
  root.end();
  const all = entries.map((entry, at) => connector(createFields(entry, `connectors/${at}`, wrong)));
  const names = all.map(({ name }) => name);
  for (const name of new Set(names)) {
    if (name !== '' && names.indexOf(name) !== names.lastIndexOf(name)) wrong.push(`the name ${name} is there twice`);
  }
  if (wrong.length > 0) throw new Error(`The connectors are not configured right: ${wrong.join('; ')}.`);
  return all;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The connectors are not configured right: the file is no JSON.');
  }
}

function connector(fields: Fields): ConnectorSettings {
  const kind = fields.oneOf('kind', ['cfssl', 'est', 'script']);
  const made = kind === 'cfssl' ? cfssl(fields) : kind === 'est' ? est(fields) : script(fields);
  fields.end();
  return made;
}

function common(fields: Fields, seconds: { answer: number; giveUp: number }): Common {
  const name = fields.text('name', /^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens');
  if (name === 'embedded') fields.complain('name', 'embedded is the name of our own CA');
  const answerWithinMillis = 1000 * fields.number('answerWithinSeconds', seconds.answer, 60);
  const giveUpAfterMillis = 1000 * fields.number('giveUpAfterSeconds', seconds.giveUp, 600);
  if (giveUpAfterMillis < answerWithinMillis) fields.complain('giveUpAfterSeconds', 'at least answerWithinSeconds');
  const profiles = fields.texts('profiles');
  for (const kind of Object.keys(profiles)) {
    if (!Object.hasOwn(KINDS, kind)) fields.complain(`profiles/${kind}`, `one of ${Object.keys(KINDS).join(', ')}`);
  }
  return { name, issuers: fields.path('issuers'), profiles, answerWithinMillis, giveUpAfterMillis };
}

/** A worker waits 15 s before it goes on with what a request began: who asks must have had the answer by then. */
const USUAL = { answer: 10, giveUp: 60 };

function cfssl(fields: Fields): ConnectorSettings {
  const url = fields.url('url', ['https:', 'http:']);
  const plain = url.protocol === 'http:';
  if (plain && !LOCAL.has(url.hostname)) fields.complain('url', 'https, or http to this machine');
  return {
    kind: 'cfssl',
    ...common(fields, USUAL),
    url,
    tls: plain ? null : tls(fields),
    authenticationKeyFile: fields.optionalPath('authenticationKeyFile'),
  };
}

function est(fields: Fields): ConnectorSettings {
  const login = fields.optionalObject('login');
  const signIn = login && {
    user: login.text('user', /^[^:\p{Cc}]{1,128}$/u, 'a name without a colon'),
    passwordFile: login.path('passwordFile'),
  };
  login?.end();
  const settings = {
    kind: 'est' as const,
    ...common(fields, USUAL),
    url: fields.url('url', ['https:']),
    tls: tls(fields),
    login: signIn,
    namesFrom: fields.oneOf('namesFrom', ['request', 'ca']),
    names: names(fields),
    revocation: revocation(fields),
  };
  if (settings.login === null && settings.tls.clientCertificate === null) {
    fields.complain(
      'login',
      'there, or clientCertificate: an EST server has to know who asks (RFC 7030 section 3.2.3)',
    );
  }
  return settings;
}

function script(fields: Fields): ConnectorSettings {
  const revoked = revocation(fields);
  const hold = fields.flag('hold');
  if (hold && revoked === 'by-hand') fields.complain('hold', 'false where revocation is by hand');
  return {
    kind: 'script',
    ...common(fields, USUAL),
    issue: fields.command('issue'),
    health: fields.optionalCommand('health'),
    names: names(fields),
    hold,
    revocation: revoked,
  };
}

function tls(fields: Fields): TlsSettings {
  const client = fields.optionalObject('clientCertificate');
  const clientCertificate = client && { certificate: client.path('certificate'), key: client.path('key') };
  client?.end();
  return { trust: fields.path('trust'), clientCertificate };
}

function names(fields: Fields): readonly NameKind[] {
  const given = fields.list('names', NAME_KINDS.length);
  const known = NAME_KINDS.filter((name) => given.includes(name));
  if (known.length !== given.length) fields.complain('names', `different ones of ${NAME_KINDS.join(', ')}`);
  return known;
}

/** What has no way to revoke has to say so: nobody shall find that out when a key is stolen. */
function revocation(fields: Fields): RevocationSetting {
  if (fields.has('revoke')) return { command: fields.command('revoke') };
  const byHand = fields.flag('revokeByHand');
  if (!byHand) fields.complain('revoke', 'a command, or "revokeByHand": true');
  return 'by-hand';
}
