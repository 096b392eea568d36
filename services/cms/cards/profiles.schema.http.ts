import { KEY_TYPE_NAMES } from '@cardwright/protocol';
import { PIN_LENGTH } from '@cardwright/protocol/pin';
import { Type } from 'typebox';
import { closed, line, nullable, oneOf, reason, ref } from '../platform/schema.http.ts';
import { ALGORITHMS, KEY_STRATEGIES } from './card.ts';
import { ENROLMENT_METHODS, INITIAL_PINS, SIGNER_ASSURANCES } from './enrolment-methods.ts';
import { DERIVATIONS } from './ports.ts';

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
  containers: [{ container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'smart-card-sign-in' }],
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

export const CardProfileSchema = Type.Object(
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
        validitySeconds: Type.Optional(Type.Integer()),
        renewalDays: Type.Optional(Type.Integer()),
        renewalKey: Type.Optional(oneOf(['same', 'new'])),
      }),
    ),
  },
  { $id: 'CardProfile', examples: [example] },
);
export const CardProfileList = Type.Object(
  { items: Type.Array(ref(CardProfileSchema)) },
  { $id: 'CardProfileList', examples: [{ items: [example] }] },
);

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

/** Of TPM cards alone. */
const tpmRules = {
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
        certificateProfile: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }),
        validitySeconds: Type.Optional(
          Type.Integer({
            minimum: 3600,
            maximum: 315_360_000,
            description: 'Shorter than what the certificate profile gives. Left out: as long.',
          }),
        ),
        renewalDays: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 365,
            description: 'Days before its end from which it is renewed. Left out: as the certificate profile has it.',
          }),
        ),
        renewalKey: Type.Optional(
          oneOf(['same', 'new'], { description: 'new: a new key each time, for which its holder gives the PIN.' }),
        ),
      }),
      { minItems: 1, maxItems: 30, description: 'TPM cards only: the keys that are made on each card.' },
    ),
  ),
};

export const NewProfileSchema = closed(
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
    ...tpmRules,
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
          },
        ],
      },
    ],
  },
);

export const ChangedProfileSchema = closed(
  { displayName: line(200), ...tpmRules, reason },
  {
    $id: 'ChangedCardProfile',
    description: 'What is left out becomes what is usual, as in a new profile.',
    examples: [
      {
        displayName: 'TPM card, own key',
        pinLimit: 5,
        pinPolicy: { minLength: 8 },
        attestation: 'required',
        selfServiceUnblock: true,
        containers: [
          { container: 'sign-in', keyType: 'rsa-2048', certificateProfile: 'smart-card-sign-in' },
          { container: 'signature', keyType: 'ec-p256', certificateProfile: 'smime-signature', renewalKey: 'new' },
        ],
        reason: 'Policy of 2026',
      },
    ],
  },
);

export const profileComponents = [CardProfileSchema, CardProfileList, NewProfileSchema, ChangedProfileSchema];
