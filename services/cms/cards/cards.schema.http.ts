import { Type } from 'typebox';
import type { DeviceId, PersonId } from '../kernel/ids.ts';
import {
  AllowedAction,
  CardRef,
  closed,
  DeviceRef,
  id,
  line,
  listOf,
  nullable,
  oneOf,
  PersonRef,
  reason,
  ref,
  ticket,
  time,
} from '../platform/schema.http.ts';
import { ALGORITHMS, IMPORTABLE_ALGORITHMS, KEY_STRATEGIES } from './card.ts';
import { CARD_STATES } from './state.ts';

export const CardSchema = Type.Object(
  {
    id: Type.String(),
    serial: Type.String({ description: "On the card's label." }),
    personId: Type.String(),
    deviceId: nullable(Type.String()),
    kind: oneOf(['tpm', 'minidriver']),
    algorithm: oneOf(ALGORITHMS, { description: 'Of the administrator key.' }),
    challengeMode: oneOf(['ecb', 'cbc'], { description: 'How a challenge of more than one block is encrypted.' }),
    keyStrategy: oneOf(KEY_STRATEGIES),
    keyStrategyWarning: nullable(
      Type.String({ description: 'Why this strategy is unsafe. To be shown with the card.' }),
    ),
    algorithmWarning: nullable(
      Type.String({ description: 'What is to be known of the algorithm, such as that it is legacy.' }),
    ),
    namedKey: nullable(
      Type.String({ description: 'The uniform key, or the master of a fleet, that its key comes from.' }),
    ),
    puk: oneOf(['none', 'stored', 'shown'], {
      description: 'A card with a PUK is unblocked with the PUK; its administrator key cannot reset the PIN.',
    }),
    keyVersion: nullable(Type.Integer()),
    keySetAt: time({ description: 'Since when the card has that key.' }),
    takeOverPending: Type.Boolean({
      description: 'Its key is known to others. Nothing is done with the card until its device has changed the key.',
    }),
    initialPinPending: Type.Boolean({
      description: 'Nobody knows its first PIN: its holder has to exchange it for their own, with the hand-over code.',
    }),
    state: oneOf(CARD_STATES),
    triesLeft: nullable(Type.Integer({ description: 'Wrong PINs left, as of the last check-in.' })),
    pinLimit: nullable(Type.Integer()),
    createdAt: time(),
    stateChangedAt: time(),
    person: ref(PersonRef),
    device: nullable(ref(DeviceRef)),
    // By a reissue: the card whose place this one took, and the one that took its place.
    replaces: nullable(ref(CardRef)),
    replacedBy: nullable(ref(CardRef)),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  {
    $id: 'Card',
    examples: [
      {
        id: '0199f2a0-3333-7000-8000-000000000003',
        serial: 'CW-7K3M-92QF',
        personId: '0199f2a0-1111-7000-8000-000000000001',
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
        kind: 'tpm',
        algorithm: 'hmac-sha256',
        challengeMode: 'ecb',
        keyStrategy: 'random-stored',
        keyStrategyWarning: null,
        algorithmWarning: null,
        namedKey: null,
        puk: 'none',
        keyVersion: 1,
        keySetAt: '2026-03-02T09:00:05.000Z',
        takeOverPending: false,
        initialPinPending: false,
        state: 'active',
        triesLeft: 5,
        pinLimit: 5,
        createdAt: '2026-03-02T09:00:00.000Z',
        stateChangedAt: '2026-03-02T09:00:09.000Z',
        person: {
          id: '0199f2a0-1111-7000-8000-000000000001',
          displayName: 'Mary Major',
          userPrincipalName: 'mary.major@example.com',
        },
        device: { id: '0199f2a0-2222-7000-8000-000000000002', hostName: 'lap-0421' },
        replaces: null,
        replacedBy: null,
        allowedActions: [{ action: 'unblock', allowed: true, disabledReason: null }],
      },
    ],
  },
);

export const CardList = listOf(CardSchema, { $id: 'CardList' });

export const NewCardSchema = closed(
  {
    personId: id<PersonId>(),
    deviceId: Type.Optional(id<DeviceId>()),
    serial: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$',
      maxLength: 64,
      description: 'As the card itself gives it.',
    }),
    cardProfile: Type.Optional(
      line(64, { description: 'Of minidriver cards. Says the strategy, and so what else is to be sent.' }),
    ),
    algorithm: Type.Optional(oneOf(IMPORTABLE_ALGORITHMS, { description: 'Needed without a profile.' })),
    challengeMode: Type.Optional(oneOf(['ecb', 'cbc'], { description: 'ecb, unless this or the profile says cbc.' })),
    diversifier: Type.Optional(
      Type.String({
        pattern: '^([0-9A-Fa-f]{2}){1,31}$',
        maxLength: 62,
        description: 'Of a card whose key follows from the master of its fleet: what it was diversified by.',
      }),
    ),
    keyCheckValue: Type.Optional(
      Type.String({ pattern: '^[0-9A-Fa-f]{6}$', maxLength: 6, description: 'If known: another key is refused.' }),
    ),
    puk: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: 'Sealed as the key, with `typ` puk in its protected header. Never in clear.',
      }),
    ),
    administratorKey: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description:
          "The key in hex digits, sealed to the vault's import key as JWE compact (ECDH-ES+A256KW, A256GCM) with `cardSerial` in its protected header. Never in clear.",
      }),
    ),
    takeOver: Type.Optional(
      Type.Boolean({
        description:
          'Of a card on a device, whose key others know (the well-known default one, for instance): the card is `created` until the agent of the device has changed the key.',
      }),
    ),
  },
  {
    $id: 'NewCard',
    examples: [
      {
        personId: '0199f2a0-1111-7000-8000-000000000001',
        serial: 'VSC-00042',
        algorithm: 'tdes',
        administratorKey: 'eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00ifQ.c2VhbGVk.aXY.Y2lwaGVydGV4dA.dGFn',
      },
    ],
  },
);

export const RetirementSchema = closed(
  { reason, ticket: Type.Optional(ticket) },
  { $id: 'NewRetirement', examples: [{ reason: 'Left the company', ticket: 'INC-20417' }] },
);

export const ImportKeySchema = Type.Object(
  {
    jwk: Type.Object(
      {},
      { additionalProperties: true, description: 'RFC 7517. P-256, `use` enc, `alg` ECDH-ES+A256KW.' },
    ),
  },
  {
    $id: 'ImportKey',
    examples: [
      {
        jwk: {
          kty: 'EC',
          crv: 'P-256',
          x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
          y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
          kid: '2026-1',
          use: 'enc',
          alg: 'ECDH-ES+A256KW',
        },
      },
    ],
  },
);

export const cardFilters = {
  q: Type.Optional(line(64, { minLength: 2, description: "Part of the card's serial." })),
  personId: Type.Optional(id<PersonId>()),
  deviceId: Type.Optional(id<DeviceId>()),
  state: Type.Optional(oneOf(CARD_STATES)),
  keyStrategy: Type.Optional(oneOf(KEY_STRATEGIES)),
  namedKey: Type.Optional(
    line(64, { description: 'All cards that depend on this key: those to reissue when it is compromised.' }),
  ),
};

export const cardComponents = [CardSchema, CardList, NewCardSchema, RetirementSchema, ImportKeySchema];
