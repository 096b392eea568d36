import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pendingMigrations } from './migrate.ts';
import { databaseName, roleNames, scramVerifier, zoneUrl } from './roles.ts';

const migration = (name: string, checksum = `sum of ${name}`) => ({ name, checksum, sql: 'SELECT 1' });
const row = (name: string, changes: { checksum?: string; finished?: boolean } = {}) => ({
  migration_name: name,
  checksum: `sum of ${name}`,
  finished: true,
  ...changes,
});

describe('what is left to apply', () => {
  const files = [migration('0001_first'), migration('0002_second')];

  it('is everything, then what is new, then nothing', () => {
    expect(pendingMigrations('public', files, [])).toEqual(files);
    expect(pendingMigrations('public', files, [row('0001_first')])).toEqual([files[1]]);
    expect(pendingMigrations('public', files, [row('0001_first'), row('0002_second')])).toEqual([]);
  });

  it.each([
    ['edited', 'migration-edited', [row('0001_first', { checksum: 'another' })]],
    ['of a newer version', 'migration-unknown', [row('0009_later')]],
    ['half done by another tool', 'migration-unfinished', [row('0001_first', { finished: false })]],
  ])('is not even looked at when a migration was %s', (_what, code, history) => {
    expect(() => pendingMigrations('public', files, history)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a role', () => {
  it('has the SCRAM verifier of RFC 7677, section 3', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const verifier = scramVerifier('pencil', salt, 4096);
    expect(verifier).toMatch(/^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$/);
    const serverKey = Buffer.from(verifier.split(':').at(-1) ?? '', 'base64');
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
    expect(createHmac('sha256', serverKey).update(message).digest('base64')).toBe(
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    );
  });

  it('is named after its database, and signs in by a URL that keeps the rest of the owner’s', () => {
    const owner = 'postgresql://owner:p%40ss@db.example:6432/cards?sslmode=require';
    expect(databaseName(owner)).toBe('cards');
    expect(roleNames('cards')).toEqual({ cms: 'cards_cms', vault: 'cards_vault', ca: 'cards_ca' });
    expect(zoneUrl(owner, 'cards_cms', 'a/b')).toBe(
      'postgresql://cards_cms:a%2Fb@db.example:6432/cards?sslmode=require',
    );
  });
});
