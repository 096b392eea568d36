import { DomainError } from '@cardwright/protocol';
import { parseStoragePublic } from '@cardwright/protocol/tpm';
import { type Card, type CardRecords, cardUnknown } from '../cards/index.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { taskNotFound } from '../tasks/index.ts';
import { changeAfter, changeClosed, type KeyChange, type KeyOffer } from './key-change.ts';
import type { ChangingKeys, DeviceIntent, DeviceKeys, KeyChangeRecords } from './ports.ts';

export interface OfferKeyPorts {
  readonly changes: KeyChangeRecords;
  readonly cards: Pick<CardRecords, 'lock'>;
  readonly deviceKeys: DeviceKeys;
  readonly vault: ChangingKeys;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/**
 * The new key of the card, wrapped for the device's TPM. The vault makes another one each time it is asked: the first that
 * is stored here is the one, and it is given again whenever the device asks, also after the change was confirmed (a device
 * whose store was restored needs it again; elsewhere it is of no use).
 * @throws DomainError `not-found`: also of another device's task; `key-change-closed` (conflict); `tpm-parent-not-allowed`,
 *   `tpm-parent-of-another-device` (unprocessable); those of the vault.
 */
export async function offerKey(
  ports: OfferKeyPorts,
  intent: DeviceIntent,
  taskId: string,
  parentPublic: Uint8Array,
): Promise<KeyOffer> {
  const { changes, unitOfWork, audit, runtime } = ports;
  const found = await changes.findByTask(taskId);
  if (found === null || found.deviceId !== intent.actor.id) throw taskNotFound();
  const given = repeated(found.change);
  if (given !== null) return given;
  await demandOwnParent(ports.deviceKeys, found.deviceId, parentPublic);
  const changeId = found.change.id;
  const about = ({ id, personId, deviceId }: Card) => ({ cardId: id, personId, deviceId });

  const begun = await unitOfWork.run(async (tx) => {
    const { card, change } = await hold(ports, tx, found.change);
    const before = repeated(change);
    if (before !== null) return { offer: before };
    await audit.record(tx, intent, {
      action: 'key-change.offer-requested',
      object: { kind: 'key-change', id: changeId },
      about: about(card),
    });
    return { card };
  });
  if (begun.offer !== undefined) return begun.offer;
  const made = await propose(ports.vault, intent, begun.card, found.change, parentPublic);
  return unitOfWork.run(async (tx) => {
    const { card, change } = await hold(ports, tx, found.change);
    // The same request, sent twice at once, was faster: what the vault made for this one is never used.
    const faster = repeated(change);
    if (faster !== null) return faster;
    const state = changeAfter(change.state, 'offer');
    const { keyVersion } = made;
    await changes.update(tx, changeId, { state, offer: made, toVersion: keyVersion, offeredAt: runtime.now() });
    await audit.record(tx, intent, {
      action: 'key-change.offered',
      object: { kind: 'key-change', id: changeId },
      about: about(card),
      before: { state: change.state },
      after: { state, keyVersion, name: Buffer.from(made.name, 'base64').toString('hex') },
    });
    return made;
  });
}

/** What was offered before; null while nothing was. @throws DomainError `key-change-closed` (conflict). */
function repeated(change: KeyChange): KeyOffer | null {
  if (change.state === 'requested') return null;
  const lasting = change.state === 'offered' || (change.state === 'confirmed' && change.kind === 'rotation');
  if (!lasting || change.offer === null) throw changeClosed(change);
  return change.offer;
}

async function hold({ cards, changes }: OfferKeyPorts, tx: Tx, { id, cardId }: KeyChange) {
  const card = await cards.lock(tx, cardId);
  const change = await changes.read(tx, id);
  if (card === null || change === null) throw cardUnknown();
  return { card, change };
}

/**
 * Who stole a device's token would have the key wrapped to a storage key of his own. The Name that the device gave when it
 * enrolled is not proven either, but it was given before there was anything to steal.
 */
async function demandOwnParent(devices: DeviceKeys, deviceId: string, parentPublic: Uint8Array): Promise<void> {
  const { name } = parseStoragePublic(parentPublic);
  if (Buffer.from(name).toString('hex') === (await devices.storageKeyName(deviceId))) return;
  const detail = 'This is not the storage key that this device enrolled with: its TPM was changed or cleared.';
  throw new DomainError('unprocessable', 'tpm-parent-of-another-device', detail, {
    fields: [{ pointer: '/parentPublic', detail }],
  });
}

async function propose(
  vault: ChangingKeys,
  intent: DeviceIntent,
  card: Card,
  { fromVersion }: KeyChange,
  parentPublic: Uint8Array,
): Promise<KeyOffer> {
  const asked = { requestedBy: intent.actor.id, requestId: intent.requestId, cardId: card.id, parentPublic };
  if (card.kind === 'minidriver') {
    const made = await vault.proposeReplacement({ ...asked, strategy: REPLACED_STRATEGY });
    return { kind: 'replacement', ...toText(made), fromVersion, algorithm: made.algorithm, kcv: made.kcv };
  }
  const { keyStrategy: strategy } = card;
  if (strategy === 'uniform') throw new Error(`TPM card ${card.id} has a uniform key`);
  const made = await vault.proposeSuccessor({ ...asked, strategy });
  return {
    kind: 'successor',
    ...toText(made),
    approval: approvalText(made.approval),
    rehearsal: approvalText(made.rehearsal),
  };
}

/** Whatever a card had before, shared or derived by others: it gets a key of its own. */
export const REPLACED_STRATEGY = 'random-stored';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
type Made = Awaited<ReturnType<ChangingKeys['proposeReplacement' | 'proposeSuccessor']>>;
const toText = (made: Made) => ({
  keyVersion: made.keyVersion,
  name: base64(made.name),
  public: base64(made.public),
  duplicate: base64(made.duplicate),
  inSymSeed: base64(made.inSymSeed),
});
const approvalText = (given: { readonly approvedPolicy: Uint8Array; readonly signature: Uint8Array }) => ({
  approvedPolicy: base64(given.approvedPolicy),
  signature: base64(given.signature),
});
