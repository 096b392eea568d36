export { type AgedKeysPorts, changeAgedKeys } from './aged-keys.ts';
export { createCardEnding } from './card-ending.ts';
export { type ConfirmChangePorts, completeOfCard, completeReported, confirmSoon } from './confirm-change.ts';
export type { AgedKeys, KeyChangeRecords, TakeOvers } from './ports.ts';
export { giveUpChange, noteVersion, type ReportedVersionPorts, reportedChange } from './reported-version.ts';
export { beginTakeOver, requestChange } from './request-change.ts';
