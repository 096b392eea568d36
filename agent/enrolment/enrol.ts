import { type DomainError, isDomainError } from '@cardwright/protocol';
import type { EnrolmentServer } from '../server/port.ts';
import type { KnownServer, StoredCard } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import { CardWork } from './card-work.ts';
import type { Claim } from './claim.ts';
import { codeDigest, normaliseCode } from './code.ts';
import { needsPin } from './first-pin.ts';
import { advance, isPlaced, type Journal, reconcile, startJournal } from './journal.ts';
import type { EnrolmentPorts, EnrolmentRequest } from './ports.ts';
import { signerMissing } from './proof.ts';

/** The server's refusals after which this enrolment can't go on: what it left on the device is cleared away. */
const FINAL_REFUSALS = new Set([
  'enrolment-code-unknown',
  'enrolment-code-used',
  'enrolment-code-expired',
  'enrolment-cancelled',
  'card-already-active',
  'card-not-active',
  'device-changed',
  'device-tpm-changed',
]);

/** The card that this code made on this device before, if it did: then there is nothing left to do. */
export function enrolledBefore(
  store: Store,
  request: Pick<EnrolmentRequest, 'server' | 'code'>,
): StoredCard | undefined {
  return store.cardOfCode(request.server, codeDigest(normaliseCode(request.code)));
}

/**
 * Makes a card from an enrolment code, or goes on where an earlier run of the same command ended. Not for a code of which
 * {@link enrolledBefore} has a card. Throws what the ports throw, and `enrolment-already-completed`.
 */
export async function enrol(ports: EnrolmentPorts, request: EnrolmentRequest): Promise<StoredCard> {
  const { store } = ports;
  const code = normaliseCode(request.code);
  const digest = codeDigest(code);
  const parent = await ports.cards.parent();
  const storageKeyName = Buffer.from(parent.name).toString('hex');
  store.requireDevice(storageKeyName);
  const known = await knownServer(ports, request);
  const server = ports.server(known);
  const save = (next: Journal): Journal => {
    store.putJournal(next, storageKeyName);
    return next;
  };
  let journal = store.journal(request.server, digest);
  journal ??= save(startJournal({ codeDigest: digest, server: request.server, startedAt: ports.now().toISOString() }));

  const work = new CardWork(ports, server, parent.name, save);
  try {
    ports.progress('Presenting the enrolment code');
    const { state, ...claim } = await present(ports, server, { code, storageKeyName, deviceToken: known.deviceToken });
    if (known.deviceId !== claim.deviceId) store.putServer({ ...known, deviceId: claim.deviceId });
    if (claim.method === 'existing-certificate' && ports.signer === null && state !== 'completed')
      throw signerMissing();
    // A person who forgot the PIN of a completed card has it unblocked; there is nothing to begin anew.
    if (state === 'completed') return await work.finish(journal);
    // Known now, before anything is made of it; the profile can't be met with this hardware.
    await ports.cards.requireKeyTypes(claim.profile.containers.map(({ keyType }) => keyType));
    await work.clearSuperseded(journal, claim);
    journal = await settle(work, journal, claim, request.startOver, save);
    return await work.run(journal);
  } catch (error) {
    const last = store.journal(request.server, digest);
    if (last !== undefined && isDomainError(error) && isOver(last, error)) await work.abandon(last);
    throw error;
  }
}

/** Before the claim nothing was made: only a server that may yet answer is a reason to keep the journal. */
function isOver({ state }: Journal, { code, kind }: DomainError): boolean {
  if (state.step === 'claiming') return kind !== 'unavailable' && kind !== 'too-many';
  return FINAL_REFUSALS.has(code);
}

/**
 * The CA is pinned, and the token stored, before the server first hears of it: from here on nobody else's server gets the
 * code or the token, and a lost answer can be asked for again.
 */
async function knownServer(ports: EnrolmentPorts, request: EnrolmentRequest): Promise<KnownServer> {
  const { server: url } = request;
  const known = ports.store.server(url);
  if (known !== undefined) return known;
  const ca = await ports.caOfServer(url);
  const trustedCa = ca === null ? null : Buffer.from(ca.certificate).toString('base64');
  const deviceToken = Buffer.from(ports.randomBytes(32)).toString('base64url');
  const fresh = { url, deviceToken, deviceId: null, trustedCa };
  ports.store.putServer(fresh);
  return fresh;
}

async function present(
  ports: EnrolmentPorts,
  server: EnrolmentServer,
  { code, storageKeyName, deviceToken }: { code: string; storageKeyName: string; deviceToken: string },
) {
  const { name: hostName, platform } = ports.host;
  const tpm = await ports.cards.describe();
  return await server.claim({ code, deviceToken, device: { hostName, platform, storageKeyName, tpm } });
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
  if (claim.initialPin === 'handed-over' && needsPin(journal.state)) {
    // Its PIN went with the process that made it, sealed for somebody else: the card is made anew.
    await work.clear(journal);
    return save(advance(journal, { event: 'started-over' }));
  }
  const decision = reconcile(journal.state, await work.slotState(journal.state));
  if (decision.go === 'after') {
    if (decision.discard) await work.clear(journal);
    journal = save(advance(journal, decision.event));
  }
  return journal;
}
