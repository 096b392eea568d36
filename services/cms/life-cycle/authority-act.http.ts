import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { Authorities } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { type OperationPorts, OperationSchema, startOperation, toOperationBody } from '../operations/index.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { closed, id, line, oneOf, Problem, reason, ref, ticket, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type BatchPorts, demandInvalidity, planBatch } from '../revocation/index.ts';

export interface AuthorityActPorts extends BatchPorts, OperationPorts {
  readonly authorities: Authorities;
}

const NewAuthorityAct = closed(
  {
    act: oneOf(['ca-key-compromised']),
    preview: Type.Optional(Type.Boolean({ description: 'Show what would be revoked, and change nothing.' })),
    previewToken: Type.Optional(id<string>({ description: 'Id of the operation that the preview gave.' })),
    reason,
    ticket: Type.Optional(ticket),
    invalidityDate: Type.Optional(time({ description: 'Since when nothing that this CA signed is to be trusted.' })),
  },
  {
    $id: 'NewAuthorityAct',
    examples: [{ act: 'ca-key-compromised', preview: true, reason: 'The signing host was broken into' }],
  },
);
export const authorityActComponents = [NewAuthorityAct];

export function registerAuthorityActRoutes(app: App, ports: AuthorityActPorts): void {
  const { operations, runtime, authorities } = ports;

  /**
   * `superseded`: the people's keys are as good as before, it is their certificates that nobody can trust any more.
   * (`cACompromise` is for the certificate of the CA itself: RFC 5280 section 5.3.1, X.509 section 9.5.3.1.)
   */
  const REASON = 'superseded';

  app.post(
    '/api/v1/authorities/:authority/life-cycle-acts',
    {
      config: { permission: 'certificates:revoke', act: 'life-cycle.ca-key-compromised' },
      schema: {
        operationId: 'actOnAuthority',
        summary: 'The key of a CA is in other hands: revoke all that it issued.',
        description:
          'First with `preview`, which plans an operation and shows it; then with its id as the token. The worker carries it out, and takes in what the CA issues meanwhile. Who has the key can sign CRLs, too: have the certificate of the CA revoked by its root, and put another CA into the certificate profiles.',
        tags: ['life-cycle'],
        params: closed({ authority: line(64) }),
        body: ref(NewAuthorityAct),
        response: { 200: ref(OperationSchema), 202: ref(OperationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { authority } = request.params;
      if (!authorities.describe().some(({ name }) => name === authority)) {
        throw new DomainError('not-found', 'not-found', 'There is no such authority.');
      }
      const { preview, previewToken, reason: comment, invalidityDate } = request.body;
      const intent = intentOf(request, request.body);
      const { permissions } = callerOf(request);
      if (preview === true) {
        const since = invalidityDate === undefined ? undefined : new Date(invalidityDate);
        demandInvalidity(since, null, runtime.now());
        const order = { select: { authority }, reason: REASON, comment, invalidityDate: since } as const;
        const operationId = await planBatch(ports, intent, { ...order, alsoIssuedMeanwhile: true });
        const planned = await operations.find(operationId);
        if (planned === null) throw new Error(`the plan ${operationId} is not there`);
        return toOperationBody(planned, runtime.now(), permissions);
      }
      const planned = previewToken === undefined ? null : await operations.find(previewToken);
      const select = planned?.input.select;
      if (planned === null || !(select instanceof Object && 'authority' in select && select.authority === authority)) {
        const detail = 'Ask with `preview` first, look at what would be done, and send the id of its operation.';
        const fields = [{ pointer: '/previewToken', detail }];
        throw new DomainError('unprocessable', 'preview-needed', detail, { fields });
      }
      const first = (tx: Tx) =>
        ports.audit.record(tx, intent, {
          action: 'life-cycle.ca-key-compromised',
          object: { kind: 'authority', id: authority },
          after: { operationId: planned.id, counts: planned.counts },
        });
      const started = await startOperation(ports, intent, planned.id, first);
      reply.code(202).header('location', `/api/v1/operations/${started.id}`);
      return toOperationBody(started, runtime.now(), permissions);
    },
  );
}
