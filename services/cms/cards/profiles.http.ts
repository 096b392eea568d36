import { Type } from 'typebox';
import { closed, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { ProfileViews } from './ports.ts';

const example = {
  name: 'tpm-default',
  displayName: 'TPM card, own key',
  keyStrategy: 'random-stored',
  pinLimit: 5,
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
    keyStrategy: Type.String(),
    pinLimit: Type.Integer({ description: 'Wrong PINs until the card blocks itself.' }),
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

export const profileComponents = [CardProfileSchema, CardProfileList];

export function registerProfileRoutes(app: App, deps: { readonly profiles: ProfileViews }): void {
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
    async () => ({ items: await deps.profiles.list() }),
  );
}
