import { createCipheriv, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { KnownKey } from './resets.ts';
import type { TappedSystem } from './tapped-system.ts';

/** Somebody who asks the vault, by cms, for one answer after the other. */
export interface Asking {
  /** From now on it may be that nobody answers: something was killed that has to. */
  mayFail(): void;
  stop(): Promise<void>;
  /** There were answers, all were right, and none was refused while all that answers was there. */
  judge(): void;
}

const CIPHERS = { tdes: 'des-ede3', 'aes-128': 'aes-128-ecb', 'aes-192': 'aes-192-ecb', 'aes-256': 'aes-256-ecb' };

export function askAllTheTime({ system }: TappedSystem, known: readonly KnownKey[]): Asking {
  const counted = { right: 0, wrong: [] as string[], refused: [] as string[] };
  let [stopped, allowed] = [false, false];

  async function ask({ cardId, algorithm, key }: KnownKey): Promise<void> {
    const helpdesk = system.as('helpdesk');
    const verification = { method: 'video', evidence: 'seen' };
    const session = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, {
      verification,
      reason: 'asked all along',
    });
    const challenge = randomBytes(algorithm === 'tdes' ? 8 : 16);
    const path = `/unblock-sessions/${session.body.id}/responses`;
    const answer =
      session.status === 201 ? await helpdesk.post(path, { challenge: challenge.toString('hex') }) : session;
    if (answer.status !== 201) {
      counted.refused.push(`${answer.status} ${answer.body.code}`);
      return;
    }
    const expected = createCipheriv(CIPHERS[algorithm], key, null).setAutoPadding(false).update(challenge);
    const response = answer.body.response.replaceAll(/\s/g, '').toLowerCase();
    if (response === expected.toString('hex')) counted.right += 1;
    else counted.wrong.push(cardId);
  }

  async function askOn(): Promise<void> {
    for (let at = 0; !stopped; at += 1) {
      const before = counted.refused.length;
      await ask(known[at % known.length] as KnownKey).catch((error) => counted.refused.push(String(error)));
      if (allowed) counted.refused.length = before;
    }
  }

  const over = askOn();
  return {
    mayFail: () => {
      allowed = true;
    },
    async stop() {
      stopped = true;
      await over;
    },
    judge() {
      expect(counted).toMatchObject({ wrong: [], refused: [] });
      expect(counted.right).toBeGreaterThan(0);
    },
  };
}
