/**
 * Identifiers, UUIDv7 in text (RFC 9562). Branded, so that a person's id can't be handed over where a card's is meant.
 * They are made in two places only: the schemas of the edge (platform/schema.http.ts) and the database adapters.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type PersonId = Branded<'PersonId'>;
export type DeviceId = Branded<'DeviceId'>;
export type CardId = Branded<'CardId'>;
export type CertificateId = Branded<'CertificateId'>;
export type EnrolmentId = Branded<'EnrolmentId'>;
export type UnblockSessionId = Branded<'UnblockSessionId'>;
export type RevocationId = Branded<'RevocationId'>;
export type TaskId = Branded<'TaskId'>;
export type KeyChangeId = Branded<'KeyChangeId'>;
