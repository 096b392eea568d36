import { KEY_TYPE_NAMES } from '@cardwright/protocol';
import { PIN_LENGTH } from '@cardwright/protocol/pin';
import { Type } from 'typebox';
import type { Intent } from '../kernel/actor.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, line, nullable, oneOf, Problem, reason, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { ALGORITHMS, algorithmWarning, KEY_STRATEGIES, keyStrategyWarning } from './card.ts';
import type { NewProfile } from './create-profile.ts';
import { ENROLMENT_METHODS, INITIAL_PINS, SIGNER_ASSURANCES } from './enrolment-methods.ts';
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
  attestation: 'preferred',
  selfServiceUnblock: false,
  enrolmentMethods: ['code'],
  initialPin: 'holder',
  signerAssurance: 'substantial',
  pinPolicy: {
    minLength: 6,
    maxLength: 127,
    uppercase: 'allowed',
    lowercase: 'allowed',
    digits: 'allowed',
    special: 'allowed',
    refuseSequences: false,
    refuseRepeats: false,
    refuseCommon: false,
  },
  containers: [
    { container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'smart-card-sign-in', validitySeconds: 31_536_000 },
  ],
};

const enrolmentRules = {
  enrolmentMethods: Type.Array(oneOf(ENROLMENT_METHODS), {
    minItems: 1,
    maxItems: ENROLMENT_METHODS.length,
    description: 'How a person may come to such a card: see the enrolments.',
  }),
  initialPin: oneOf(INITIAL_PINS, {
    description:
      'holder: whoever has the code types it. supervised: the same, and an operator confirms that the person did. handed-over: nobody sees it; the person exchanges it for their own by a hand-over code.',
  }),
  signerAssurance: oneOf(SIGNER_ASSURANCES, {
    description: 'Least level of an existing certificate that signs for a new card.',
  }),
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
    attestation: oneOf(['required', 'preferred', 'off'], {
      description: 'Whether a device is to prove its TPM before a card is made in it.',
    }),
    selfServiceUnblock: Type.Boolean({ description: 'Its holder may approve an unblock with another card.' }),
    ...enrolmentRules,
    pinPolicy: Type.Object({}, { additionalProperties: true }),
    containers: Type.Array(
      Type.Object({
        container: Type.String(),
        keyType: Type.String(),
        certificateProfile: Type.String(),
        validitySeconds: Type.Integer(),
        renewalDays: Type.Optional(Type.Integer()),
        renewalKey: Type.Optional(oneOf(['same', 'new'])),
      }),
    ),
  },
  { $id: 'CardProfile', examples: [example] },
);
const CardProfileList = Type.Object(
  { items: Type.Array(ref(CardProfileSchema)) },
  { $id: 'CardProfileList', examples: [{ items: [example] }] },
);

/** What the CA can issue to persons. */
const CERTIFICATE_PROFILES = ['smart-card-sign-in'] as const;

const rule = () => Type.Optional(oneOf(['allowed', 'required', 'disallowed']));
const PinPolicySchema = closed(
  {
    minLength: Type.Optional(Type.Integer({ minimum: PIN_LENGTH.least, maximum: PIN_LENGTH.most })),
    maxLength: Type.Optional(Type.Integer({ minimum: PIN_LENGTH.least, maximum: PIN_LENGTH.most })),
    uppercase: rule(),
    lowercase: rule(),
    digits: rule(),
    special: rule(),
    refuseSequences: Type.Optional(Type.Boolean({ description: '123456, abcdef and the like.' })),
    refuseRepeats: Type.Optional(Type.Boolean({ description: '111111, 121212, 123123 and the like.' })),
    refuseCommon: Type.Optional(Type.Boolean({ description: 'What many people choose.' })),
  },
  {
    description:
      'TPM cards only. What is left out: 6 to 127 characters of any kind; sequences, repeats and common PINs are refused.',
  },
);

const NewProfileSchema = closed(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }),
    displayName: line(200),
    algorithm: oneOf(ALGORITHMS, { description: 'hmac-sha256: of TPM cards. Any other: of minidriver cards.' }),
    challengeMode: Type.Optional(oneOf(['ecb', 'cbc'])),
    keyStrategy: oneOf(KEY_STRATEGIES),
    namedKey: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 })),
    derivation: Type.Optional(oneOf(DERIVATIONS)),
    puk: Type.Optional(oneOf(['none', 'optional', 'required'])),
    keyRotationDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
    pinLimit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'TPM cards only: wrong PINs until the card blocks itself.',
      }),
    ),
    pinPolicy: Type.Optional(PinPolicySchema),
    attestation: Type.Optional(oneOf(['required', 'preferred', 'off'], { description: 'TPM cards only.' })),
    selfServiceUnblock: Type.Optional(
      Type.Boolean({
        description:
          'TPM cards only: the holder may approve an unblock of such a card with another card and its PIN, without an operator. False if left out.',
      }),
    ),
    enrolmentMethods: Type.Optional(enrolmentRules.enrolmentMethods),
    initialPin: Type.Optional(enrolmentRules.initialPin),
    signerAssurance: Type.Optional(enrolmentRules.signerAssurance),
    containers: Type.Optional(
      Type.Array(
        closed({
          container: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', maxLength: 32 }),
          keyType: oneOf(KEY_TYPE_NAMES),
          certificateProfile: oneOf(CERTIFICATE_PROFILES),
          validitySeconds: Type.Integer({ minimum: 3600, maximum: 315_360_000 }),
          renewalDays: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 365,
              description: 'Days before its end from which it is renewed. Left out: 30, or a third of its life.',
            }),
          ),
          renewalKey: Type.Optional(
            oneOf(['same', 'new'], { description: 'new: a new key each time, for which its holder gives the PIN.' }),
          ),
        }),
        { minItems: 1, maxItems: 30, description: 'TPM cards only: the keys that are made on each card.' },
      ),
    ),
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
      {
        name: 'tpm-strong',
        displayName: 'TPM card, P-384',
        algorithm: 'hmac-sha256',
        keyStrategy: 'random-stored',
        pinLimit: 3,
        pinPolicy: { minLength: 8, digits: 'required', lowercase: 'required' },
        containers: [
          {
            container: 'sign-in',
            keyType: 'ec-p384',
            certificateProfile: 'smart-card-sign-in',
            validitySeconds: 31_536_000,
          },
        ],
      },
    ],
  },
);

export const profileComponents = [CardProfileSchema, CardProfileList, NewProfileSchema];

export interface ProfileDeps {
  readonly profiles: ProfileViews;
  readonly createProfile: (intent: Intent, input: NewProfile) => Promise<CardProfileView>;
  readonly setKeyRotation: (intent: Intent, name: string, days: number | null) => Promise<void>;
}

const toBody = (profile: CardProfileView) => ({
  ...profile,
  enrolmentMethods: [...profile.enrolmentMethods],
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
        summary: 'A profile for TPM cards, or for minidriver cards that exist already.',
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

  app.post(
    '/api/v1/card-profiles/:name/key-rotations',
    {
      config: { permission: 'profiles:create', act: 'card-profile.key-rotation-set' },
      schema: {
        operationId: 'setKeyRotation',
        summary: 'Say how old administrator keys of cards of a profile may become; null: as old as they like.',
        description:
          'Older keys are changed, some at a time, on devices that check in. The key of a TPM card is changed 16 times at most.',
        tags: ['cards'],
        params: closed({ name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }) }),
        body: closed(
          { keyRotationDays: nullable(Type.Integer({ minimum: 1, maximum: 3650 })), reason },
          { examples: [{ keyRotationDays: 365, reason: 'Policy of 2026' }] },
        ),
        response: { 201: ref(CardProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      await deps.setKeyRotation(intentOf(request, request.body), name, request.body.keyRotationDays);
      const profile = await deps.profiles.find(name);
      if (profile === null) throw new Error(`the card profile ${name} is gone`);
      reply.code(201);
      return toBody(profile);
    },
  );
}
