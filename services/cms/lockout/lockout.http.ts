import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { DeviceId } from '../kernel/ids.ts';
import { VERIFICATION_METHODS } from '../kernel/verification.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { base64, closed, id, line, oneOf, Problem, reason, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { LockoutDependencies } from './ports.ts';
import { protectLockout } from './protect-lockout.ts';
import { resetLockout } from './reset-lockout.ts';

const rulesExample = { maxTries: 10, forgivenAfterSeconds: 600, passwordPauseSeconds: 86_400 };
const sealedExample = { public: 'AAgACw==', duplicate: 'ACD0pQ==', inSymSeed: 'AEQAIA==', name: 'AAt2MQ==' };

const Protection = Type.Object(
  {
    deviceId: Type.String(),
    authority: Type.String({
      contentEncoding: 'base64',
      description: 'TPMT_PUBLIC of the key that resets the lockout.',
    }),
    password: Type.Object(
      { public: Type.String(), duplicate: Type.String(), inSymSeed: Type.String(), name: Type.String() },
      { description: "The lockout's password, sealed to the device's TPM. Base64." },
    ),
    rules: Type.Object({
      maxTries: Type.Integer(),
      forgivenAfterSeconds: Type.Integer(),
      passwordPauseSeconds: Type.Integer(),
    }),
  },
  {
    $id: 'LockoutProtection',
    examples: [
      {
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
        authority: 'ACMACwAEBEA=',
        password: sealedExample,
        rules: rulesExample,
      },
    ],
  },
);
const Reset = Type.Object(
  {
    response: Type.String({ description: 'The lines, joined by line feeds.' }),
    lines: Type.Array(Type.String()),
  },
  { $id: 'LockoutReset', examples: [{ response: '1603 EBDF 1C8A 2E72', lines: ['1603 EBDF 1C8A 2E72'] }] },
);
export const lockoutComponents = [Protection, Reset];

const MAX_CHALLENGE = 200;

export function registerLockoutRoutes(app: App, deps: LockoutDependencies): void {
  app.post(
    '/api/v1/agent/lockout-protections',
    {
      config: { permission: 'device', act: 'lockout.protection-given', secretAnswer: true, perMinute: 600 },
      schema: {
        operationId: 'protectLockout',
        summary: "What a device needs to put its TPM's lockout under the vault's protection. The same each time.",
        tags: ['agent'],
        body: closed({ parentPublic: base64(1024) }, { examples: [{ parentPublic: 'AFoAIwALAAMEcg==' }] }),
        response: { 201: ref(Protection), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const intent = deviceIntentOf(request);
      const parentPublic = new Uint8Array(Buffer.from(request.body.parentPublic, 'base64'));
      const given = await protectLockout(deps, intent, parentPublic);
      const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
      return reply.code(201).send({
        deviceId: intent.actor.id,
        authority: text(given.authority),
        password: {
          public: text(given.public),
          duplicate: text(given.duplicate),
          inSymSeed: text(given.inSymSeed),
          name: text(given.name),
        },
        rules: given.rules,
      });
    },
  );

  app.post(
    '/api/v1/devices/:deviceId/lockout-resets',
    {
      config: { permission: 'unblock:perform', act: 'lockout.reset-answered', secretAnswer: true, perMinute: 60 },
      schema: {
        operationId: 'resetLockout',
        summary: 'The response to the challenge of a locked TPM, which forgives its wrong tries once.',
        tags: ['devices'],
        params: closed({ deviceId: id<DeviceId>() }),
        body: closed(
          {
            challenge: Type.String({ minLength: 1, maxLength: MAX_CHALLENGE, description: 'Any case and spacing.' }),
            verification: closed({
              method: oneOf(VERIFICATION_METHODS),
              evidence: line(500, { description: 'What proved who asks. Kept in the audit log.' }),
            }),
            reason,
            ticket: Type.Optional(ticket),
          },
          {
            examples: [
              {
                challenge: '1603 EBDF 1C8A 2E72',
                verification: { method: 'call-back', evidence: 'Called back on the number on record' },
                reason: 'Disk password mistyped too often',
              },
            ],
          },
        ),
        response: { 201: ref(Reset), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { challenge, verification, ...why } = request.body;
      const asked = { challenge, verification };
      const lines = await resetLockout(deps, intentOf(request, why), request.params.deviceId, asked);
      return reply.code(201).send({ response: lines.join('\n'), lines: [...lines] });
    },
  );
}
