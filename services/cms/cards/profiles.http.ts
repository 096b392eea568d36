import { Type } from 'typebox';
import type { Intent } from '../kernel/actor.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, line, nullable, oneOf, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { ALGORITHMS, algorithmWarning, IMPORTABLE_ALGORITHMS, KEY_STRATEGIES, keyStrategyWarning } from './card.ts';
import type { NewProfile } from './create-profile.ts';
import { type CardProfileView, DERIVATIONS, type ProfileViews } from './ports.ts';

const example = {
  name: 'tpm-default',
  displayName: 'TPM card, own key',
  kind: 'tpm',
  algorithm: 'hmac-sha256',
  algorithmWarning: null,
  challengeMode: 'ecb',
  keyStrategy: 'random-stored',
  keyStrategyWarning: null,
  namedKey: null,
  derivation: null,
  puk: 'none',
  pinLimit: 5,
  keyRotationDays: null,
  pinPolicy: {
    minLength: 6,
    maxLength: 127,
    uppercase: 'allowed',
    lowercase: 'allowed',
    digits: 'allowed',
    special: 'allowed',
    refuseSequences: false,
    refuseRepeats: false,
  },
  containers: [
    { container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'smart-card-sign-in', validitySeconds: 31_536_000 },
  ],
};

const CardProfileSchema = Type.Object(
  {
    name: Type.String(),
    displayName: Type.String(),
    kind: oneOf(['tpm', 'minidriver']),
    algorithm: oneOf(ALGORITHMS, { description: 'Of the administrator key.' }),
    algorithmWarning: nullable(Type.String()),
    challengeMode: oneOf(['ecb', 'cbc']),
    keyStrategy: oneOf(KEY_STRATEGIES),
    keyStrategyWarning: nullable(Type.String({ description: 'Why the strategy is unsafe. To be shown.' })),
    namedKey: nullable(Type.String({ description: 'The uniform key, or the master of a fleet from elsewhere.' })),
    derivation: nullable(oneOf(DERIVATIONS, { description: "How the other fleet's keys follow from its master." })),
    puk: oneOf(['none', 'optional', 'required']),
    pinLimit: Type.Integer({ description: 'Wrong PINs until the card blocks itself.' }),
    keyRotationDays: nullable(Type.Integer({ description: 'Administrator keys that are older are changed.' })),
    pinPolicy: Type.Object({}, { additionalProperties: true }),
    containers: Type.Array(
      Type.Object({
        container: Type.String(),
        keyType: Type.String(),
        certificateProfile: Type.String(),
        validitySeconds: Type.Integer(),
      }),
    ),
  },
  { $id: 'CardProfile', examples: [example] },
);
const CardProfileList = Type.Object(
  { items: Type.Array(ref(CardProfileSchema)) },
  { $id: 'CardProfileList', examples: [{ items: [example] }] },
);

const NewProfileSchema = closed(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }),
    displayName: line(200),
    algorithm: oneOf(IMPORTABLE_ALGORITHMS),
    challengeMode: Type.Optional(oneOf(['ecb', 'cbc'])),
    keyStrategy: oneOf(KEY_STRATEGIES),
    namedKey: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 })),
    derivation: Type.Optional(oneOf(DERIVATIONS)),
    puk: Type.Optional(oneOf(['none', 'optional', 'required'])),
    keyRotationDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
  },
  {
    $id: 'NewCardProfile',
    examples: [
      {
        name: 'campus-2019',
        displayName: 'Campus cards of 2019',
        algorithm: 'aes-128',
        keyStrategy: 'deterministic',
        namedKey: 'campus-master',
        derivation: 'an10922',
      },
    ],
  },
);

export const profileComponents = [CardProfileSchema, CardProfileList, NewProfileSchema];

export interface ProfileDeps {
  readonly profiles: ProfileViews;
  readonly createProfile: (intent: Intent, input: NewProfile) => Promise<CardProfileView>;
}

const toBody = (profile: CardProfileView) => ({
  ...profile,
  keyStrategyWarning: keyStrategyWarning(profile.keyStrategy),
  algorithmWarning: algorithmWarning(profile.algorithm),
});

export function registerProfileRoutes(app: App, deps: ProfileDeps): void {
  app.get(
    '/api/v1/card-profiles',
    {
      config: { permission: 'cards:read' },
      schema: {
        operationId: 'listCardProfiles',
        summary: 'The kinds of cards that can be enrolled.',
        tags: ['cards'],
        querystring: closed({}),
        response: { 200: ref(CardProfileList), default: ref(Problem) },
      },
    },
    async () => ({ items: (await deps.profiles.list()).map(toBody) }),
  );

  app.post(
    '/api/v1/card-profiles',
    {
      config: { permission: 'profiles:create', act: 'card-profile.created' },
      schema: {
        operationId: 'createCardProfile',
        summary: 'A profile for minidriver cards that exist already.',
        tags: ['cards'],
        body: ref(NewProfileSchema),
        response: { 201: ref(CardProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const profile = await deps.createProfile(intentOf(request), request.body);
      reply.code(201);
      return toBody(profile);
    },
  );
}
