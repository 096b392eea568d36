import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { connectLink } from '@cardwright/link';
import type { System } from '../launcher/system.ts';
import { registerBenchCard } from './card.ts';
import type { Row } from './table.ts';

const IN_FLIGHT = 256;
const ROUNDS = 3;

interface Round {
  readonly perSecond: number;
  readonly p99: number;
}

/**
 * Answers a second of the vault alone, over its socket, each with a challenge and a request of its own, opened from its
 * sealed row and durably in the signed record before it is given. The floor is node:crypto in this process: the same
 * openings (two AES-256-GCM), the same encryption and the same digest, one after the other, and nothing else. Both in turn.
 */
export async function measureVaultAnswers(system: System, answersPerRound: number): Promise<Row> {
  const cardId = await registerBenchCard(system, 'CW-BENCH-VAULT');
  const link = connectLink({ socketPath: join(system.data.sockets, 'vault.sock'), service: 'vault' });
  try {
    const ask = async (number: number): Promise<void> => {
      const challenge = randomBytes(16).toString('base64url');
      const asked = {
        requestedBy: 'bench',
        requestId: `bench-${number}`,
        cardId,
        keyVersion: 1,
        challenge,
        mode: 'ecb',
      };
      await link.call('answer', asked);
    };
    await answers(ask, Math.ceil(answersPerRound / 2)); // compiled code, plans, pages
    raw(answersPerRound);
    const [ours, floors]: [Round[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await answers(ask, answersPerRound));
      floors.push(raw(answersPerRound));
    }
    const mine = ours.toSorted((a, b) => a.perSecond - b.perSecond)[1] as Round;
    const floor = floors.toSorted((a, b) => a - b)[1] as number;
    return {
      what: `answers of the vault alone, ${IN_FLIGHT} in flight`,
      ours: `${Math.round(mine.perSecond)}/s, p99 ${mine.p99.toFixed(0)} ms, durable and signed`,
      floor: `${Math.round(floor)}/s (raw node:crypto: open, encrypt, digest)`,
      ratio: mine.perSecond / floor,
      aim: 0.15,
    };
  } finally {
    await link.close();
  }
}

async function answers(ask: (number: number) => Promise<void>, count: number): Promise<Round> {
  const taken: number[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (next < count) {
        next += 1;
        const began = performance.now();
        await ask(next);
        taken.push(performance.now() - began);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  taken.sort((a, b) => a - b);
  return { perSecond: count / seconds, p99: taken[Math.floor(taken.length * 0.99)] ?? 0 };
}

/** @returns answers a second. */
function raw(count: number): number {
  const [kek, facts] = [randomBytes(32), randomBytes(140)];
  const dataKey = sealed(kek, randomBytes(32), facts);
  const key = sealed(open(kek, dataKey, facts), randomBytes(16), facts);
  const challenge = randomBytes(16);
  const start = performance.now();
  for (let n = 0; n < count; n += 1) {
    const opened = open(open(kek, dataKey, facts), key, facts);
    const cipher = createCipheriv('aes-128-ecb', opened, null).setAutoPadding(false);
    Buffer.concat([cipher.update(challenge), cipher.final()]);
    createHash('sha256').update(challenge).digest();
  }
  return count / ((performance.now() - start) / 1000);
}

interface Sealed {
  readonly nonce: Buffer;
  readonly text: Buffer;
  readonly tag: Buffer;
}

function sealed(key: Buffer, clear: Buffer, facts: Buffer): Sealed {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(facts);
  const text = Buffer.concat([cipher.update(clear), cipher.final()]);
  return { nonce, text, tag: cipher.getAuthTag() };
}

function open(key: Buffer, { nonce, text, tag }: Sealed, facts: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(facts).setAuthTag(tag);
  const clear = decipher.update(text);
  decipher.final();
  return clear;
}
