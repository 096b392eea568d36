import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { Intent } from '../kernel/actor.ts';
import type { ExpectedVersion } from '../kernel/expected-version.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { giveVersion, versionToChange } from '../platform/etag.http.ts';
import { closed, nullable, Problem, reason, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { algorithmWarning, keyStrategyWarning } from './card.ts';
import type { ChangedProfile } from './change-profile.ts';
import type { NewProfile } from './create-profile.ts';
import type { CardProfileView, ProfileViews } from './ports.ts';
import { CardProfileList, CardProfileSchema, ChangedProfileSchema, NewProfileSchema } from './profiles.schema.http.ts';

export interface ProfileDeps {
  readonly profiles: ProfileViews;
  readonly createProfile: (intent: Intent, input: NewProfile) => Promise<CardProfileView>;
  readonly changeProfile: (
    intent: Intent,
    name: string,
    expected: ExpectedVersion,
    input: ChangedProfile,
  ) => Promise<CardProfileView>;
  readonly setKeyRotation: (intent: Intent, name: string, days: number | null) => Promise<void>;
}

const toBody = ({ version: _version, ...profile }: CardProfileView) => ({
  ...profile,
  enrolmentMethods: [...profile.enrolmentMethods],
  keyStrategyWarning: keyStrategyWarning(profile.keyStrategy),
  algorithmWarning: algorithmWarning(profile.algorithm),
});

export function registerProfileRoutes(app: App, deps: ProfileDeps): void {
  const params = closed({ name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }) });

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
      giveVersion(reply, profile.version);
      reply.code(201);
      return toBody(profile);
    },
  );

  app.get(
    '/api/v1/card-profiles/:name',
    {
      config: { permission: 'cards:read', etag: true },
      schema: {
        operationId: 'getCardProfile',
        summary: 'One kind of cards.',
        tags: ['cards'],
        params,
        response: { 200: ref(CardProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const profile = await deps.profiles.find(request.params.name);
      if (profile === null) throw new DomainError('not-found', 'not-found', 'There is no such card profile.');
      giveVersion(reply, profile.version);
      return toBody(profile);
    },
  );

  app.put(
    '/api/v1/card-profiles/:name',
    {
      config: { permission: 'profiles:create', act: 'card-profile.changed' },
      schema: {
        operationId: 'changeCardProfile',
        summary: 'Change the rules of a profile of TPM cards.',
        description:
          'They count from now on: for cards that are made, and for renewals and unblocks of those that are there. A card gets no container that it was not made with, and keeps the PIN limit that it was made with.',
        tags: ['cards'],
        params,
        body: ref(ChangedProfileSchema),
        response: { 200: ref(CardProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const expected = versionToChange(request);
      const { reason, ...input } = request.body;
      const profile = await deps.changeProfile(intentOf(request, { reason }), request.params.name, expected, input);
      giveVersion(reply, profile.version);
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
        params,
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
