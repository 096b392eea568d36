import { isDomainError } from '@cardwright/protocol';
import type { EnrolmentServer } from '../server/port.ts';
import type { KnownServer, StoredCard } from '../store/document.ts';
import { CardWork } from './card-work.ts';
import type { Claim } from './claim.ts';
import { codeDigest, normaliseCode } from './code.ts';
import { advance, isPlaced, type Journal, reconcile, startJournal } from './journal.ts';
import type { EnrolmentPorts, EnrolmentRequest } from './ports.ts';

/** Refusals of the code after which an enrolment can't go on: what it left on the device is cleared away. */
const FINAL_REFUSALS = new Set([
  'enrolment-code-unknown',
  'enrolment-code-used',
  'enrolment-code-expired',
  'enrolment-cancelled',
]);

/**
 * Makes a card from an enrolment code, or goes on where an earlier run of the same command ended. Running it again after
 * it is done does nothing (`already`). Throws what the ports throw, and `enrolment-already-completed`.
 */
export async function enrol(
  ports: EnrolmentPorts,
  request: EnrolmentRequest,
): Promise<{ readonly card: StoredCard; readonly already: boolean }> {
  const { store } = ports;
  const code = normaliseCode(request.code);
  const digest = codeDigest(code);
  const done = store.cardOfCode(request.server, digest);
  if (done !== undefined) return { card: done, already: true };

  const parent = await ports.cards.parent();
  const storageKeyName = Buffer.from(parent.name).toString('hex');
  store.requireDevice(storageKeyName);
  const known = knownServer(ports, request);
  const server = ports.server(known.deviceToken);
  const save = (next: Journal): Journal => {
    store.putJournal(next, storageKeyName);
    return next;
  };
  let journal = store.journal(request.server, digest);
  journal ??= save(startJournal({ codeDigest: digest, server: request.server, startedAt: ports.now().toISOString() }));

  const work = new CardWork(ports, server, parent.name, save);
  ports.progress('Presenting the enrolment code');
  const { state, ...claim } = await present(ports, server, known, { journal, code, storageKeyName, work });
  if (known.deviceId !== claim.deviceId) store.putServer({ ...known, deviceId: claim.deviceId });
  // A person who forgot the PIN of a completed card has it unblocked; there is nothing to begin anew.
  if (state === 'completed') return { card: await work.finish(journal), already: false };
  await work.clearSuperseded(journal, claim);
  journal = await settle(work, journal, claim, request.startOver, save);
  return { card: await work.run(journal), already: false };
}

/** The token is stored before the server first hears of it: a lost answer can then be asked for again. */
function knownServer(ports: EnrolmentPorts, request: EnrolmentRequest): KnownServer {
  const { server: url, insecureHttp } = request;
  const known = ports.store.server(url);
  if (known !== undefined) return known;
  const deviceToken = Buffer.from(ports.randomBytes(32)).toString('base64url');
  const fresh = { url, deviceToken, deviceId: null, insecureHttp };
  ports.store.putServer(fresh);
  return fresh;
}

async function present(
  ports: EnrolmentPorts,
  server: EnrolmentServer,
  known: KnownServer,
  at: { journal: Journal; code: string; storageKeyName: string; work: CardWork },
) {
  try {
    return await server.claim({
      code: at.code,
      deviceToken: known.deviceToken,
      device: {
        hostName: ports.host.name,
        platform: ports.host.platform,
        storageKeyName: at.storageKeyName,
        tpm: await ports.cards.describe(),
      },
    });
  } catch (error) {
    if (isDomainError(error) && FINAL_REFUSALS.has(error.code)) await at.work.abandon(at.journal);
    throw error;
  }
}

/** Brings the journal and the device into agreement before anything new is done. */
async function settle(
  work: CardWork,
  begun: Journal,
  claim: Claim,
  startOver: boolean,
  save: (journal: Journal) => Journal,
): Promise<Journal> {
  let journal = begun;
  if (journal.state.step === 'claiming') return save(advance(journal, { event: 'claimed', claim }));
  if (journal.state.claim.enrolmentId !== claim.enrolmentId || journal.state.claim.cardId !== claim.cardId) {
    // The server lost what we know of (a restored database): what was made for it is of no use.
    await work.clear(journal);
    return save(advance(save({ ...journal, state: { step: 'claiming' } }), { event: 'claimed', claim }));
  }
  if (startOver) {
    await work.clear(journal);
    return save(advance(journal, { event: 'started-over' }));
  }
  if (!isPlaced(journal.state)) return journal;
  const decision = reconcile(journal.state, await work.slotState(journal.state));
  if (decision.go === 'after') {
    if (decision.discard) await work.clear(journal);
    journal = save(advance(journal, decision.event));
  }
  return journal;
}
