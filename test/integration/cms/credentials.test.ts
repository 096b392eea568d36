import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

/** Requests that come together share one look-up of who asks: nobody may be taken for a neighbour by it. */
let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const hashOf = (token: string) => createHash('sha256').update(token).digest();

async function makeOperators(tokens: readonly string[], expires: string | null = null): Promise<string[]> {
  const ids = tokens.map(() => randomUUID());
  await system.query(
    `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS g (id, hash)),
      made AS (INSERT INTO operators (id, name, display_name, role)
        SELECT id, id, id, 'helpdesk' FROM given RETURNING id)
      INSERT INTO api_tokens (token_hash, operator_id, expires_at)
        SELECT hash, id, $3::timestamptz FROM given JOIN made USING (id)`,
    [ids, tokens.map(hashOf), expires],
  );
  return ids;
}

/** The operator's id, or the code of the refusal. */
async function whoIs(token: string): Promise<string> {
  const answer = await fetch(`${system.url}/api/v1/session`, { headers: { authorization: `Bearer ${token}` } });
  const body = (await answer.json()) as { operator?: { id: string }; code?: string };
  return body.operator?.id ?? body.code ?? '';
}
const whoAre = (tokens: readonly string[]) => Promise.all(tokens.map(whoIs));

it('gives each of many callers at once their own identity, and strangers and the expired none', async () => {
  const tokens = Array.from({ length: 90 }, () => randomUUID());
  const ids = await makeOperators(tokens);
  const expired = randomUUID();
  await makeOperators([expired], '2020-01-01T00:00:00Z');
  const asked = [...tokens, randomUUID(), expired, ...tokens.toReversed()];
  const expected = [...ids, 'token-invalid', 'token-invalid', ...ids.toReversed()];
  expect(await whoAre(asked)).toEqual(expected);
});

it('knows a revoked token no more from the next request on, while others go on', async () => {
  const tokens = [randomUUID(), randomUUID(), randomUUID()];
  const ids = await makeOperators(tokens);
  expect(await whoAre(tokens)).toEqual(ids);
  await system.query('DELETE FROM api_tokens WHERE operator_id = $1', [ids[0]]);
  expect(await whoAre(tokens)).toEqual(['token-invalid', ids[1], ids[2]]);
  await system.query('UPDATE operators SET disabled_at = now() WHERE id = $1', [ids[1]]);
  expect(await whoAre(tokens)).toEqual(['token-invalid', 'token-invalid', ids[2]]);
});

it('stops an operator whose record is broken, and nobody who asks at the same time', async () => {
  const tokens = Array.from({ length: 20 }, () => randomUUID());
  const ids = await makeOperators(tokens);
  await system.query('ALTER TABLE operators DROP CONSTRAINT operators_role');
  await system.query(`UPDATE operators SET role = 'emperor' WHERE id = $1`, [ids[0]]);
  expect(await whoAre(tokens)).toEqual(['internal', ...ids.slice(1)]);
});

it('does not take a device for the operator whose token it chose as its own, nor lock that operator out', async () => {
  const token = randomUUID();
  const ids = await makeOperators([token]);
  await system.query(
    `INSERT INTO devices (id, host_name, platform, storage_key_name, token_hash) VALUES ($1, 'lap-1', 'linux', 'x', $2)`,
    [randomUUID(), hashOf(token)],
  );
  expect(await whoAre([token, token, token])).toEqual([ids[0], ids[0], ids[0]]);
});
