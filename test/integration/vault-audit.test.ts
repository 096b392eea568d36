import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { connectVault } from '@cardwright/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../support/people.ts';
import { runFolder } from '../support/run-folder.ts';
import { sealKey } from '../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { bothRecordsAgree, vaultAudit } from '../support/vault-audit.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({ environment: { vault: { VAULT_LIMIT_PER_CARD: '3' } } });
}, 120_000);
afterAll(async () => {
  await system?.remove();
});

async function newCard(): Promise<string> {
  const person = await registerPerson(system, 'Ada Lovelace');
  const serial = `OLD-${randomBytes(4).toString('hex').toUpperCase()}`;
  const administratorKey = await sealKey(system, serial, randomBytes(24).toString('hex'));
  const card = { personId: person.id, serial, algorithm: 'tdes', administratorKey };
  const made = await system.as('security-officer').post('/cards', card);
  expect(made.status).toBe(201);
  return made.body.id;
}

async function unblock(cardId: string) {
  const helpdesk = system.as('helpdesk');
  const verification = { method: 'video', evidence: 'seen' };
  const session = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, { verification, reason: 'forgot the PIN' });
  const challenge = randomBytes(8).toString('hex');
  return helpdesk.post(`/unblock-sessions/${session.body.id}/responses`, { challenge });
}

/** As a cms that somebody has taken over would. */
async function askBehindCms(cardId: string, requestId: string): Promise<void> {
  const vault = connectVault(join(system.data.sockets, 'vault.sock'));
  try {
    const challenge = randomBytes(8);
    await vault.answerChallenge({ requestedBy: 'nobody', requestId, cardId, keyVersion: 1, challenge, mode: 'ecb' });
  } finally {
    await vault.close();
  }
}

/** All of `GET /audit/events`, a page a line. */
async function exported(): Promise<string> {
  const path = join(runFolder(), `events-${randomUUID()}.jsonl`);
  const lines: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await system.as('auditor').get(`/audit/events?limit=50${cursor}`);
    lines.push(JSON.stringify(body));
    if (body.next === null) break;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
  writeFileSync(path, lines.join('\n'));
  return path;
}

describe('the record of the vault and the audit log of cms', () => {
  it('agree after answers and refusals, and a limit is an event of the log', async () => {
    const cardId = await newCard();
    for (let n = 0; n < 3; n++) expect((await unblock(cardId)).status).toBe(201);
    const refused = await unblock(cardId);
    expect([refused.status, refused.body.code]).toEqual([429, 'vault-limit-reached']);
    await bothRecordsAgree(system);
    const event = await until({ what: 'the alert in the audit log', seconds: 20 }, async () => {
      const { body } = await system.as('auditor').get(`/audit/events?action=vault.alert&cardId=${cardId}`);
      return body.items[0] ?? null;
    });
    expect(event).toMatchObject({
      ...{ actor: { kind: 'system' }, object: { kind: 'vault-alert' }, cardId },
      after: { code: 'vault-limit-reached', operation: 'answer' },
    });
    await system.processes.worker.kill();
    await system.processes.worker.start();
    await bothRecordsAgree(system);
  });

  it('a key that was swapped in the database is an event of the log', async () => {
    const [one, two] = [await newCard(), await newCard()];
    await system.query('ALTER TABLE vault.administrator_keys DISABLE TRIGGER USER');
    await system.query(
      `UPDATE vault.administrator_keys a SET sealed = b.sealed FROM vault.administrator_keys b
       WHERE a.card_id = $1 AND b.card_id = $2`,
      [one, two],
    );
    await system.query('ALTER TABLE vault.administrator_keys ENABLE TRIGGER USER');
    expect((await unblock(one)).status).toBe(500);
    const events = await until({ what: 'the alert in the audit log', seconds: 20 }, async () => {
      const { body } = await system.as('auditor').get(`/audit/events?action=vault.alert&cardId=${one}`);
      return body.items.length > 0 ? body.items : null;
    });
    expect(events).toMatchObject([{ after: { code: 'vault-blob-invalid' } }]);
    await bothRecordsAgree(system);
  });

  it('differ by each use behind the back of cms, and by each answer that cms only claims', async () => {
    const cardId = await newCard();
    const answered = await unblock(cardId);
    expect(answered.status).toBe(201);
    const [{ request_id: known }] = await system.query(
      "SELECT request_id FROM audit_events WHERE action = 'unblock.answered' AND card_id = $1",
      [cardId],
    );
    const hidden = randomUUID();
    await askBehindCms(cardId, hidden);
    await askBehindCms(cardId, known);
    await system.query(
      `INSERT INTO audit_events (actor_kind, actor_id, actor_name, action, object_kind, object_id, card_id, outcome, request_id)
       VALUES ('operator', 'x', 'x', 'unblock.answered', 'unblock-session', 'x', $1, 'done', 'never-asked')`,
      [cardId],
    );
    const exportFile = await exported();
    try {
      for (const found of [await vaultAudit(system), await vaultAudit(system, exportFile)]) {
        expect(found.status).toBe(1);
        expect(found.lines).toHaveLength(4);
        expect(found.lines).toEqual(
          expect.arrayContaining([
            expect.objectContaining({
              kind: 'only-in-vault',
              use: expect.objectContaining({ requestId: hidden, cardId }),
            }),
            expect.objectContaining({ kind: 'only-in-vault', why: 'cms says that somebody else asked' }),
            expect.objectContaining({
              kind: 'only-in-cms',
              event: expect.objectContaining({ requestId: 'never-asked' }),
            }),
            expect.objectContaining({
              kind: 'summary',
              findings: 0,
              differences: 3,
              compared: true,
              withCheckpoint: true,
            }),
          ]),
        );
      }
    } finally {
      rmSync(exportFile);
    }
  });
});
