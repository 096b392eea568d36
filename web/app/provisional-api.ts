/** The contract as agreed, until the generated types are there. Same shape as openapi-typescript's output. */
type PersonRef = { id: string; displayName: string; userPrincipalName: string };
type DeviceRef = { id: string; hostName: string };
type CardRef = { id: string; serial: string };
type OperatorRef = { id: string; name: string };
type AllowedAction = { action: string; allowed: boolean; disabledReason: string | null };
type Verification = { method: 'in-person' | 'video' | 'call-back' | 'manager'; evidence: string };
type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId: string;
  errors?: { pointer: string; detail: string }[];
};
type Person = { id: string; displayName: string; userPrincipalName: string; email: string | null; createdAt: string };
type Device = {
  id: string;
  hostName: string;
  platform: string;
  tpm: { manufacturer: string; firmware: string; revision: string } | null;
  createdAt: string;
  lastSeenAt: string | null;
};
type Card = {
  id: string;
  serial: string;
  personId: string;
  deviceId: string | null;
  kind: 'tpm' | 'minidriver';
  algorithm: string;
  keyStrategy: string;
  keyVersion: number | null;
  state: string;
  triesLeft: number | null;
  pinLimit: number | null;
  createdAt: string;
  stateChangedAt: string;
  person: PersonRef;
  device: DeviceRef | null;
  allowedActions: AllowedAction[];
};
type Enrolment = {
  id: string;
  personId: string;
  cardProfile: string;
  state: 'open' | 'claimed' | 'completed' | 'cancelled' | 'expired';
  expiresAt: string;
  createdAt: string;
  createdBy: OperatorRef;
  cardId: string | null;
  deviceId: string | null;
};
type UnblockSession = {
  id: string;
  cardId: string;
  origin: 'operator' | 'device';
  state: 'requested' | 'open' | 'answered' | 'worked' | 'failed' | 'expired' | 'refused';
  confirmationCode: string | null;
  challengeFormat: { kind: 'base32' | 'hex'; bytes: number };
  verification: Verification | null;
  reason: string | null;
  ticket: string | null;
  openedBy: OperatorRef | null;
  createdAt: string;
  expiresAt: string;
  answeredAt: string | null;
  allowedActions: AllowedAction[];
};
type Revocation = {
  id: string;
  certificateId: string;
  state: 'proposed' | 'confirmed';
  reason: string;
  comment: string;
  revokedAt: string;
  requestedBy: OperatorRef;
};
type Certificate = {
  id: string;
  cardId: string;
  deviceId: string | null;
  personId: string;
  container: string;
  status: 'proposed' | 'active' | 'revoked' | 'expired' | 'failed';
  serialNumber: string | null;
  thumbprint: string | null;
  subject: string | null;
  issuer: string | null;
  notBefore: string | null;
  notAfter: string | null;
  certificate: string | null;
  createdAt: string;
  revocation: { reason: string; comment: string; revokedAt: string; requestedBy: OperatorRef } | null;
  person: PersonRef;
  device: DeviceRef | null;
  card: CardRef;
  allowedActions: AllowedAction[];
};
type AuditEvent = {
  id: string;
  time: string;
  actor: { kind: string; id: string; name: string; role: string | null };
  action: string;
  object: { kind: string; id: string };
  personId: string | null;
  deviceId: string | null;
  cardId: string | null;
  certificateId: string | null;
  enrolmentId: string | null;
  unblockSessionId: string | null;
  outcome: 'done' | 'refused';
  code: string | null;
  reason: string | null;
  ticket: string | null;
  verification: Verification | null;
  before: unknown;
  after: unknown;
  requestId: string;
};
type Session = {
  operator: { id: string; name: string; displayName: string; role: string };
  permissions: string[];
  expiresAt: string;
};
type SearchResult = {
  kind: 'person' | 'card' | 'device' | 'certificate';
  id: string;
  title: string;
  subtitle: string;
  state: string | null;
};
type Response = { response: string; lines: string[]; expiresAt: string };

export interface components {
  schemas: {
    Problem: ProblemBody;
    Person: Person;
    Device: Device;
    Card: Card;
    Enrolment: Enrolment;
    UnblockSession: UnblockSession;
    Revocation: Revocation;
    Certificate: Certificate;
    AuditEvent: AuditEvent;
    Session: Session;
    SearchResult: SearchResult;
    UnblockResponse: Response;
  };
}

type Answer<T> = { headers: { [name: string]: unknown }; content: { 'application/json': T } };
type Refused = { headers: { [name: string]: unknown }; content: { 'application/problem+json': ProblemBody } };
type None = { query?: never; header?: never; path?: never; cookie?: never };
type Get<A, Q = never, P = never> = {
  parameters: { query?: Q; header?: never; cookie?: never } & ([P] extends [never] ? { path?: never } : { path: P });
  requestBody?: never;
  responses: { 200: Answer<A>; default: Refused };
};
type Post<A, B, P = never> = {
  parameters: { query?: never; header?: never; cookie?: never } & ([P] extends [never]
    ? { path?: never }
    : { path: P });
  requestBody: { content: { 'application/json': B } };
  responses: { 201: Answer<A>; default: Refused };
};
type Delete = {
  parameters: None;
  requestBody?: never;
  responses: { 204: { headers: { [name: string]: unknown }; content?: never }; default: Refused };
};
type List<T> = { items: T[]; next: string | null };
type Page = { cursor?: string; limit?: number };
type Verb<K extends string, O> = { parameters: None } & { [key in K]: O } & {
  [key in Exclude<'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch' | 'trace', K>]?: never;
};
type GetPost<G, P> = {
  parameters: None;
  get: G;
  post: P;
  put?: never;
  delete?: never;
  options?: never;
  head?: never;
  patch?: never;
  trace?: never;
};

export interface paths {
  '/api/v1/session': {
    parameters: None;
    get: Get<Session>;
    post: Post<Session, { userName: string; password: string }>;
    delete: Delete;
    put?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/search': Verb<'get', Get<{ items: SearchResult[] }, { q: string }>>;
  '/api/v1/people': GetPost<
    Get<List<Person>, Page & { q?: string; userPrincipalName?: string }>,
    Post<Person, { displayName: string; userPrincipalName: string; email?: string }>
  >;
  '/api/v1/people/{personId}': Verb<'get', Get<Person, never, { personId: string }>>;
  '/api/v1/devices': Verb<'get', Get<List<Device>, Page & { q?: string; hostName?: string }>>;
  '/api/v1/devices/{deviceId}': Verb<'get', Get<Device, never, { deviceId: string }>>;
  '/api/v1/cards': Verb<
    'get',
    Get<List<Card>, Page & { q?: string; personId?: string; deviceId?: string; state?: string }>
  >;
  '/api/v1/cards/{cardId}': Verb<'get', Get<Card, never, { cardId: string }>>;
  '/api/v1/cards/{cardId}/retirements': Verb<
    'post',
    Post<Card, { reason: string; ticket?: string }, { cardId: string }>
  >;
  '/api/v1/cards/{cardId}/unblock-sessions': GetPost<
    Get<List<UnblockSession>, Page, { cardId: string }>,
    Post<UnblockSession, { verification: Verification; reason: string; ticket?: string }, { cardId: string }>
  >;
  '/api/v1/enrolments': GetPost<
    Get<List<Enrolment>, Page & { personId?: string; state?: string }>,
    Post<{ enrolment: Enrolment; code: string }, { personId: string; cardProfile?: string; validForSeconds?: number }>
  >;
  '/api/v1/enrolments/{enrolmentId}/cancellations': Verb<
    'post',
    Post<Enrolment, { reason: string }, { enrolmentId: string }>
  >;
  '/api/v1/unblock-sessions': Verb<'get', Get<List<UnblockSession>, Page & { state?: string }>>;
  '/api/v1/unblock-sessions/{unblockSessionId}': Verb<'get', Get<UnblockSession, never, { unblockSessionId: string }>>;
  '/api/v1/unblock-sessions/{unblockSessionId}/responses': Verb<
    'post',
    Post<Response, { challenge: string }, { unblockSessionId: string }>
  >;
  '/api/v1/unblock-sessions/{unblockSessionId}/approvals': Verb<
    'post',
    Post<
      UnblockSession,
      { confirmationCode: string; verification: Verification; reason: string; ticket?: string },
      { unblockSessionId: string }
    >
  >;
  '/api/v1/unblock-sessions/{unblockSessionId}/refusals': Verb<
    'post',
    Post<UnblockSession, { reason: string }, { unblockSessionId: string }>
  >;
  '/api/v1/unblock-sessions/{unblockSessionId}/outcome': Verb<
    'post',
    Post<UnblockSession, { outcome: 'worked' | 'failed'; note?: string }, { unblockSessionId: string }>
  >;
  '/api/v1/certificates': Verb<
    'get',
    Get<
      List<Certificate>,
      Page & {
        deviceId?: string;
        cardId?: string;
        personId?: string;
        serialNumber?: string;
        thumbprint?: string;
        status?: string;
      }
    >
  >;
  '/api/v1/certificates/{certificateId}': Verb<'get', Get<Certificate, never, { certificateId: string }>>;
  '/api/v1/certificates/{certificateId}/revocations': Verb<
    'post',
    Post<Revocation, { reason: string; comment: string; ticket?: string }, { certificateId: string }>
  >;
  '/api/v1/audit/events': Verb<
    'get',
    Get<
      List<AuditEvent>,
      Page & {
        deviceId?: string;
        personId?: string;
        cardId?: string;
        certificateId?: string;
        actorId?: string;
        action?: string;
        outcome?: string;
        from?: string;
        to?: string;
      }
    >
  >;
}
