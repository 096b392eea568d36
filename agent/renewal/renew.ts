import { createHash } from 'node:crypto';
import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { renewalProofStatement } from '@cardwright/protocol/enrolment';
import type { AttestationServer } from '../attestation/attest-device.ts';
import { openCard } from '../commands/choose-card.ts';
import type { Context } from '../commands/command.ts';
import { checkIssued } from '../enrolment/certificate-check.ts';
import { certificationRequest, certificationRequestInfo } from '../enrolment/csr.ts';
import type { Certified, ContainerState } from '../enrolment/journal.ts';
import { cardSigner } from '../enrolment/proof.ts';
import type { DueRenewal, RenewalServer } from '../server/port.ts';
import type { RenewalEntry, StoredCard, StoredKey } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import { proofOf } from './proof.ts';

export interface RenewalWork {
  readonly context: Context;
  readonly storeDirectory: string | undefined;
  readonly tpm: string | undefined;
  readonly server: RenewalServer & AttestationServer;
}

export type RenewalItem = Pick<DueRenewal, 'container' | 'certificateId' | 'key' | 'attestation'>;

const bytes = (base64: string) => Buffer.from(base64, 'base64');
const base64 = (value: Uint8Array) => Buffer.from(value).toString('base64');

/** What a step needs the card's holder for: a new key's request is signed with the PIN. */
export const needsPin = (state: ContainerState | undefined, key: 'same' | 'new'): boolean =>
  state === undefined ? key === 'new' : state.at === 'planned' || state.at === 'keyed';

/**
 * Renews one container's certificate, or goes on with it: (a new key -> its request, signed with the PIN ->) issued ->
 * stored -> confirmed -> in use. Each step is stored before the next, so it can be cut off anywhere; until the last one the
 * card goes on with the certificate it has.
 * @param pin for a new key; null: without, and then only what needs none. Throws `renewal-needs-pin` (conflict); the server's
 *   refusals; those of the card and of what the CA issued.
 */
export async function renew(
  work: RenewalWork,
  cardId: string,
  item: RenewalItem,
  pin: Secret | null,
): Promise<StoredKey> {
  const { context, storeDirectory } = work;
  for (;;) {
    const store = context.readStore(storeDirectory);
    const card = store.card(cardId);
    const key = card?.keys.find(({ container }) => container === item.container);
    if (card?.state !== 'active' || key === undefined) {
      throw new DomainError('conflict', 'card-not-in-use', 'The card or its container is not in use here any more.');
    }
    const entry = store.renewal(cardId, item.container);
    if (entry?.state.at === 'certified') return await finish(work, entry, entry.state);
    const replaces = entry?.replaces ?? item.certificateId;
    try {
      const renewed = { card, key, replaces, policy: item.attestation, proof: entry?.proof ?? null };
      const { proof = renewed.proof, ...state } = await next(work, renewed, entry?.state, item.key, pin);
      await change(work, (now) => now.putRenewal({ server: card.server, cardId, replaces, state, proof }));
    } catch (error) {
      if (entry !== undefined && isOver(error)) await change(work, (now) => now.dropRenewal(entry));
      throw error;
    }
  }
}

/** The server's refusals after which this renewal can't go on: the next look begins anew. */
const isOver = (error: unknown): boolean =>
  isDomainError(error) && ['certificate-not-renewable', 'card-not-active', 'not-found'].includes(error.code);

interface Renewed {
  readonly card: StoredCard;
  readonly key: StoredKey;
  readonly replaces: string;
  readonly policy: DueRenewal['attestation'];
  /** What the key before signed for the request. */
  readonly proof: string | null;
}

async function next(
  work: RenewalWork,
  renewed: Renewed,
  state: ContainerState | undefined,
  wanted: 'same' | 'new',
  pin: Secret | null,
): Promise<ContainerState & { readonly proof?: string }> {
  const { context, tpm } = work;
  const { card, key } = renewed;
  const { container, keyType } = key;
  if (needsPin(state, wanted) && pin === null) throw pinNeeded(card, container);
  if (state === undefined && wanted === 'same') {
    return await issued(work, renewed, key.blob, undefined);
  }
  if (state === undefined || state.at === 'planned') {
    return await context.useCards(tpm, async (cards) => {
      const { record } = await openCard(context.readStore(work.storeDirectory), cards, card);
      return { at: 'keyed', container, keyType, blob: base64(await cards.makeKey(record, keyType)) } as const;
    });
  }
  if (state.at === 'keyed') {
    if (pin === null) throw pinNeeded(card, container);
    return await context.useCards(tpm, async (cards) => {
      const open = await openCard(context.readStore(work.storeDirectory), cards, card);
      const blob = bytes(state.blob);
      const { info, hash, digest } = certificationRequestInfo(cards.keyPublic(blob), card.serial, keyType);
      const signature = await open.sign({ key: blob, hash, digest, pin });
      const csr = certificationRequest(info, keyType, signature);
      // The key before says that this one follows it: so it is as sure as before whose it is.
      const statement = renewalProofStatement({
        ...{ cardSerial: card.serial, container, replaces: renewed.replaces },
        requestHash: createHash('sha256').update(csr).digest(),
      });
      const proof = await cardSigner(open, key, pin).sign(statement);
      return { ...state, at: 'requested', csr: base64(csr), proof } as const;
    });
  }
  if (state.at === 'certified') return state;
  return await issued(work, renewed, state.blob, state.csr);
}

async function issued(
  work: RenewalWork,
  { card, key, replaces, policy, proof }: Renewed,
  blob: string,
  csr: string | undefined,
): Promise<Certified> {
  const { context, server, storeDirectory } = work;
  const { container, keyType } = key;
  const { publicKey, evidence } = await context.useCards(work.tpm, async (cards) => {
    const { record } = await openCard(context.readStore(storeDirectory), cards, card);
    return {
      publicKey: cards.keyPublic(bytes(blob)),
      evidence: await proofOf(cards, server, policy, record, bytes(blob)),
    };
  });
  const answer = await server.renew(card.cardId, {
    container,
    replaces,
    ...(csr === undefined ? {} : { csr }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(csr === undefined || proof === null ? {} : { proof: { jws: proof } }),
  });
  checkIssued({
    certificate: bytes(answer.certificate),
    chain: answer.chain.map(bytes),
    publicKey,
    now: context.now(),
  });
  const { certificateId, certificate, chain } = answer;
  return { at: 'certified', container, keyType, blob, certificateId, certificate, chain };
}

/** The new one is stored already: now the server may revoke the old one, and then the card goes on with the new one. */
async function finish(work: RenewalWork, entry: RenewalEntry, state: Certified): Promise<StoredKey> {
  try {
    await work.server.confirmRenewal(entry.cardId, state.certificateId);
  } catch (error) {
    if (isOver(error)) await change(work, (store) => store.dropRenewal(entry));
    throw error;
  }
  const { container, keyType, blob, certificateId, certificate, chain } = state;
  const renewed = { container, keyType, blob, certificateId, certificate, chain: [...chain] };
  await change(work, (store) => {
    const card = store.card(entry.cardId);
    if (card === undefined) return;
    const keys = card.keys.map((key) => (key.container === container ? renewed : key));
    store.finishRenewal(entry, { ...card, keys });
  });
  return renewed;
}

const change = <T>(work: RenewalWork, act: (store: Store) => T): Promise<T> =>
  work.context.changeStore(work.storeDirectory, async (store) => act(store));

function pinNeeded({ serial }: StoredCard, container: string): DomainError {
  return new DomainError(
    'conflict',
    'renewal-needs-pin',
    `The certificate for ${container} of card ${serial} is to get a new key, whose request is signed with the PIN: ` +
      `cardwright-agent renew --card ${serial}`,
  );
}
