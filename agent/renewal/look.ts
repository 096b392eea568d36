import { isDomainError } from '@cardwright/protocol';
import type { StoredCard } from '../store/document.ts';
import { isPassing, readStore, type TaskWork } from '../tasks/task.ts';
import { needsPin, type RenewalItem, renew } from './renew.ts';

/**
 * What `run` does by itself: goes on with renewals that are under way, and renews with the same key what is due. What wants
 * the PIN waits for its holder, who is told once a certificate. Throws only what keeps the server from being reached.
 */
export async function lookForRenewals(work: TaskWork, card: StoredCard): Promise<{ renewed: number; waiting: number }> {
  const renewed = new Set<string>();
  let waiting = 0;
  const listed = await work.server.renewals(card.cardId);
  for (const { container } of card.keys) {
    const entry = readStore(work).renewal(card.cardId, container);
    if (entry === undefined || needsPin(entry.state, 'new')) continue;
    const attestation = listed.find((item) => item.container === container)?.attestation ?? 'preferred';
    const item = { container, certificateId: entry.replaces, key: 'new', attestation } as const;
    if (await attempt(work, card, item)) renewed.add(container);
  }
  for (const item of listed) {
    const { container, due, key } = item;
    if (!due || renewed.has(container) || !card.keys.some((one) => one.container === container)) continue;
    if (needsPin(readStore(work).renewal(card.cardId, container)?.state, key)) {
      waiting++;
      await tellHolder(work, card, item);
    } else if (await attempt(work, card, item)) renewed.add(container);
  }
  return { renewed: renewed.size, waiting };
}

async function attempt(work: TaskWork, card: StoredCard, item: RenewalItem): Promise<boolean> {
  const about = { card: card.serial, container: item.container };
  try {
    const { certificateId } = await renew(work, card.cardId, item, null);
    work.log('certificate-renewed', { ...about, certificate: certificateId });
    return true;
  } catch (error) {
    if (!isDomainError(error) || isPassing(error)) throw error;
    work.log('renewal-refused', { ...about, code: error.code });
    return false;
  }
}

async function tellHolder(
  work: TaskWork,
  { serial, server }: StoredCard,
  item: { readonly container: string; readonly certificateId: string; readonly notAfter: string },
): Promise<void> {
  const taskId = `renewal-${item.certificateId}`;
  if (readStore(work).document.messages.some((message) => message.taskId === taskId)) return;
  const until = item.notAfter.slice(0, 10);
  const text =
    `The certificate for ${item.container} of card ${serial} ends on ${until}, and the next one gets a new key, for which ` +
    `your PIN is needed. Run: cardwright-agent renew --card ${serial}`;
  const receivedAt = work.context.now().toISOString();
  await work.context.changeStore(work.storeDirectory, async (store) =>
    store.putOwnMessage({ server, taskId, serial, text, receivedAt, shown: 'no' }),
  );
  await work.context.service.notify('A certificate is to be renewed', text);
  work.log('renewal-waits-for-pin', { card: serial, container: item.container, until });
}
