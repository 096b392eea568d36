/** The names the console uses for what the API sends: the one file that knows where the generated types are. */
import type { components, paths } from '@cardwright/protocol/api';

export type { paths };

type Schemas = components['schemas'];
export type Person = Schemas['Person'];
export type Device = Schemas['Device'];
export type DeviceDetail = Schemas['DeviceDetail'];
export type Card = Schemas['Card'];
export type Enrolment = Schemas['Enrolment'];
export type UnblockSession = Schemas['UnblockSession'];
export type UnblockResponse = Schemas['UnblockResponse'];
export type Certificate = Schemas['Certificate'];
export type AuditEvent = Schemas['AuditEvent'];
export type Session = Schemas['Session'];
export type SearchResult = Schemas['SearchHit'];
export type KeyChange = Schemas['KeyChange'];
export type KeyChangeCause = KeyChange['cause'];
export type DeviceTask = Schemas['Task'];
export type CardProfile = Schemas['CardProfile'];
export type ChangedCardProfile = Schemas['ChangedCardProfile'];
export type NewCardProfile = Schemas['NewCardProfile'];
export type Revocation = Schemas['Revocation'];
export type QueuedRevocation = Schemas['QueuedRevocation'];
export type CertificateHold = Schemas['CertificateHold'];
export type CertificateState = Schemas['CertificateState'];
export type RequestedRenewal = Schemas['RequestedRenewal'];
export type Operation = Schemas['Operation'];
export type OperationItem = Schemas['OperationItem'];
export type NewRevocationBatch = Schemas['NewRevocationBatch'];
export type NewLifeCycleAct = Schemas['NewLifeCycleAct'];
export type LifeCyclePlan = Schemas['LifeCyclePlan'];
export type LifeCyclePreview = Schemas['LifeCyclePreview'];
export type LifeCycleResult = Schemas['LifeCycleResult'];
export type CertificateProfile = Schemas['CertificateProfile'];
export type NewCertificateProfile = Schemas['NewCertificateProfile'];
export type ChangedCertificateProfile = Schemas['ChangedCertificateProfile'];
export type CertificatePreview = Schemas['CertificatePreview'];
export type CertificateAuthority = Schemas['CertificateAuthority'];
export type AllowedAction = Card['allowedActions'][number];

type OpenSession = NonNullable<paths['/api/v1/cards/{cardId}/unblock-sessions']['post']['requestBody']>;
export type VerificationMethod = OpenSession['content']['application/json']['verification']['method'];
export type Permission = Session['permissions'][number];
export type EnrolmentMethod = Enrolment['method'];
