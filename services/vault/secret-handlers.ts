import type { LinkHandler } from '@cardwright/link';
import { adoptAdministratorKey } from './adopt-administrator-key.ts';
import { importPuk, showPuk } from './card-puk.ts';
import { MAX_DIVERSIFIER_BYTES } from './fleet-derivation.ts';
import { type ImportBatchPorts, importBatch, MAX_BATCH_LINES } from './import-batch.ts';
import { demandUniformAllowed, describeNamedKey, importNamedKey } from './import-named-key.ts';
import { FLEET_DERIVATIONS, type KeyOrigin, NAMED_KEY_KINDS, type Requester } from './operations.ts';
import { bytes, type Field, flag, line, list, matching, nullable, oneOf, optional, params, uuid } from './params.ts';
import type { Use } from './ports.ts';
import { uuidOf } from './uuid.ts';

const requester = { requestedBy: line(200), requestId: line(200) };
const algorithm = oneOf(['tdes', 'aes-128', 'aes-192', 'aes-256']);
const keyName = matching(/^[a-z0-9][a-z0-9-]{1,63}$/, 'must be 2 to 64 of a-z, 0-9 and hyphen');
const checkValue = matching(/^[0-9A-F]{6}$/, 'must be 6 hex digits in upper case');
const jwe = line(4096);

const uniformOrigin = params({ strategy: oneOf(['uniform']), keyName });
const fleetOrigin = params({
  strategy: oneOf(['deterministic']),
  derivation: oneOf(FLEET_DERIVATIONS),
  keyName,
  diversifier: bytes(1, MAX_DIVERSIFIER_BYTES),
});
const origin: Field<KeyOrigin> = (value, at) =>
  (value as { strategy?: unknown } | null)?.strategy === 'uniform' ? uniformOrigin(value, at) : fleetOrigin(value, at);

const batchLine = params({
  cardId: uuid,
  cardSerial: line(64),
  algorithm,
  jwe: nullable(jwe),
  origin: nullable(origin),
  kcv: nullable(checkValue),
  puk: nullable(jwe),
  takeOver: optional(flag),
});

/** Of a PUK that comes with the key of its card. */
export const sealedPuk = params({ cardSerial: line(64), jwe });

const parse = {
  importNamed: params({ ...requester, name: keyName, kind: oneOf(NAMED_KEY_KINDS), algorithm, jwe }),
  listNamed: params({ ...requester }),
  adopt: params({ ...requester, cardId: uuid, algorithm, origin, kcv: optional(checkValue), puk: optional(sealedPuk) }),
  importPuk: params({ ...requester, cardId: uuid, cardSerial: line(64), jwe }),
  showPuk: params({ ...requester, cardId: uuid }),
  batch: params({
    ...requester,
    batchId: uuid,
    dryRun: flag,
    acceptDuplicates: flag,
    lines: list(batchLine, 1, MAX_BATCH_LINES),
  }),
};

/** How the operations are recorded: handlers.ts has it for all of them. */
export interface Recording {
  readonly recordDone: (use: Use) => Promise<void>;
  /** Records refusals with their code; what succeeds records itself. */
  readonly recordingRefusals: <T>(use: Use, work: () => Promise<T>) => Promise<T>;
  /** Records both. */
  readonly recording: <T>(use: Use, work: () => Promise<T>) => Promise<T>;
  readonly useOf: (operation: string, asked: Requester & { cardId: string }, challenge: Uint8Array | null) => Use;
}

/** A cap on what one answer lists: such keys are few. */
const MAX_NAMED_KEYS = 200;

/** Keys that several cards depend on, cards that have theirs from elsewhere, PUKs, and imports of many at once. */
export function secretHandlers(ports: ImportBatchPorts, to: Recording): Record<string, LinkHandler> {
  const { custody, secrets } = ports;
  return {
    'named-key.import': async (given) => {
      const asked = parse.importNamed(given);
      const id = uuidOf(custody.random(16));
      // The record speaks of cards; a key of many has its own id in that place.
      const use = to.useOf('named-key.import', { ...asked, cardId: id }, null);
      return to.recordingRefusals(use, async () => {
        if (asked.kind === 'uniform-key') demandUniformAllowed(ports.uniformAllowed);
        return importNamedKey(custody, secrets, { ...asked, id }, use, to.recordDone);
      });
    },
    'named-key.list': async (given) => {
      parse.listNamed(given);
      return { keys: (await secrets.listNamed(NAMED_KEY_KINDS, MAX_NAMED_KEYS)).map(describeNamedKey) };
    },
    'key.adopt': async (given) => {
      const { kcv, puk, ...asked } = parse.adopt(given);
      const use = to.useOf('key.adopt', asked, null);
      const wanted = { ...asked, ...(kcv === undefined ? {} : { kcv }), ...(puk === undefined ? {} : { puk }) };
      return to.recordingRefusals(use, () => adoptAdministratorKey(ports, wanted, use, to.recordDone));
    },
    'puk.import': async (given) => {
      const asked = parse.importPuk(given);
      const use = to.useOf('puk.import', asked, null);
      const id = uuidOf(custody.random(16));
      await to.recordingRefusals(use, () => importPuk(custody, secrets, { ...asked, id }, use, to.recordDone));
      return {};
    },
    'puk.show': async (given) => {
      const asked = parse.showPuk(given);
      const use = to.useOf('puk.show', asked, null);
      return to.recordingRefusals(use, () => showPuk(custody, secrets, asked, use));
    },
    'key.import-batch': async (given) => {
      const batch = parse.batch(given);
      // Absent stays absent: a batch from before this field was there has the digest that it had.
      const lines = batch.lines.map(({ takeOver, ...line }) => (takeOver === undefined ? line : { ...line, takeOver }));
      const asked = { ...batch, lines };
      const use = to.useOf('key.import-batch', { ...asked, cardId: asked.batchId }, null);
      return to.recordingRefusals(use, () => importBatch(ports, asked, use, to.recordDone));
    },
  };
}
