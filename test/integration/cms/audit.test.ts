import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { newCode, rawDevice } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const events = async (query: string) => (await system.as('auditor').get(`/audit/events?${query}`)).body.items;

describe('the audit log', () => {
  it('says who did what, to whom, by which request', async () => {
    const person = await registerPerson(system, 'Ada Lovelace');
    const [event] = await events(`personId=${person.id}`);
    expect(event).toMatchObject({
      action: 'person.created',
      outcome: 'done',
      actor: { kind: 'operator', role: 'helpdesk' },
      object: { kind: 'person', id: person.id },
      personId: person.id,
      code: null,
      after: { displayName: 'Ada Lovelace' },
    });
    expect(event.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(Date.parse(event.time) - Date.now())).toBeLessThan(60_000);
  });

  it('has each refusal of a change, with its code, and whose card and device it was about', async () => {
    const device = rawDevice(system);
    const { person, code } = await newCode(system);
    const { cardId } = await device.enrol(code);
    const retire = (reason: string) =>
      system.as('security-officer').post(`/cards/${cardId}/retirements`, { reason, ticket: 'INC-1' });
    expect((await retire('Left the company')).status).toBe(201);
    expect((await retire('Once more')).body.code).toBe('card-already-retired');
    const [event] = await events(`cardId=${cardId}&outcome=refused`);
    const [card] = (await system.as('auditor').get(`/cards?personId=${person.id}`)).body.items;
    expect(event).toMatchObject({
      action: 'card.retired',
      code: 'card-already-retired',
      reason: 'Once more',
      ticket: 'INC-1',
      object: { kind: 'card', id: cardId },
      personId: person.id,
      deviceId: card.deviceId,
    });
  });

  it('is filtered by everything that it offers, and read page by page without a gap or a repeat', async () => {
    const all = await events('limit=200');
    const [first] = all;
    for (const query of [`actorId=${first.actor.id}`, `action=${first.action}`, `outcome=${first.outcome}`]) {
      const some = await events(`limit=200&${query}`);
      expect(some.length).toBeGreaterThan(0);
      expect(some.length).toBeLessThan(all.length);
      const [name = '', value] = query.split('=');
      for (const event of some) expect(name === 'actorId' ? event.actor.id : event[name]).toBe(value);
    }
    const middle = all[Math.floor(all.length / 2)];
    const until = await events(`limit=200&to=${middle.time}`);
    const since = await events(`limit=200&from=${middle.time}`);
    expect(until.length + since.length).toBe(all.length);
    expect(since.map((event: { id: string }) => event.id)).toContain(middle.id);

    const paged: string[] = [];
    let cursor = '';
    do {
      const page = (await system.as('auditor').get(`/audit/events?limit=3${cursor}`)).body;
      paged.push(...page.items.map((event: { id: string }) => event.id));
      cursor = page.next === null ? '' : `&cursor=${page.next}`;
    } while (cursor !== '');
    expect(paged).toEqual(all.map((event: { id: string }) => event.id));
  });

  it.each(['action=%27%20OR%201=1--', 'actorId=%27;DROP%20TABLE%20people;--'])(
    'takes a filter as a value, never as SQL: %s',
    async (query) => {
      expect(await events(query)).toEqual([]);
      expect((await events('limit=1')).length).toBe(1);
    },
  );

  describe('only grows, by the word of the database itself', () => {
    const statements = [
      "UPDATE audit_events SET actor_name = 'someone else'",
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
      "INSERT INTO audit_events (id, actor_kind, actor_id, actor_name, action, object_kind, outcome, request_id) VALUES (1, 'system', 'x', 'x', 'x', 'x', 'done', 'x') ON CONFLICT (id) DO UPDATE SET action = 'y'",
    ];

    async function attempt(url: string, statement: string): Promise<string> {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        await client.query(statement);
        return 'done';
      } catch (error) {
        return (error as { code: string }).code;
      } finally {
        await client.end();
      }
    }

    it.each(statements)('for the role of cms: %s', async (statement) => {
      expect(await attempt(system.database.urls.cms, statement)).toBe('42501');
    });

    it.each(statements)('and for the owner of the table: %s', async (statement) => {
      expect(await attempt(system.database.ownerUrl, statement)).toBe('42501');
    });

    it('and dates its events by itself', async () => {
      const back =
        "INSERT INTO audit_events (time, actor_kind, actor_id, actor_name, action, object_kind, outcome, request_id) VALUES ('2001-01-01', 'system', 'x', 'backdated', 'x', 'x', 'done', 'x')";
      expect(await attempt(system.database.urls.cms, back)).toBe('done');
      const [row] = await system.query(
        "SELECT time > now() - interval '1 minute' AS fresh FROM audit_events WHERE actor_name = 'backdated'",
      );
      expect(row).toEqual({ fresh: true });
    });
  });
});
