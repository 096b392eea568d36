import { DomainError } from '@cardwright/protocol';
import type { Runtime } from '../kernel/runtime.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { giveVersion, versionToChange } from '../platform/etag.http.ts';
import { closed, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { PersonNames } from './order.ts';
import { previewCertificate } from './preview.ts';
import {
  changeCertificateProfile,
  createCertificateProfile,
  profileUnknown,
  type SaveProfilePorts,
} from './save-profile.ts';
import {
  CertificatePreviewSchema,
  CertificateProfileList,
  CertificateProfileSchema,
  ChangedCertificateProfile,
  contentsOf,
  NewCertificateProfile,
  PreviewRequest,
  profileName,
  toBody,
} from './schema.http.ts';

export interface CertificateProfileDependencies extends SaveProfilePorts {
  readonly personViews: { find(personId: string): Promise<PersonNames | null> };
  readonly runtime: Runtime;
}

export function registerCertificateProfileRoutes(app: App, deps: CertificateProfileDependencies): void {
  const { certificateProfiles } = deps;
  const params = closed({ name: profileName() });

  app.get(
    '/api/v1/certificate-profiles',
    {
      config: { permission: 'cards:read' },
      schema: {
        operationId: 'listCertificateProfiles',
        summary: 'What certificates say and for whom: the newest version of each profile, by name.',
        tags: ['certificates'],
        response: { 200: ref(CertificateProfileList), default: ref(Problem) },
      },
    },
    async () => ({ items: (await certificateProfiles.list()).map(toBody) }),
  );

  app.get(
    '/api/v1/certificate-profiles/:name',
    {
      config: { permission: 'cards:read', etag: true },
      schema: {
        operationId: 'getCertificateProfile',
        summary: 'The newest version of a certificate profile.',
        tags: ['certificates'],
        params,
        response: { 200: ref(CertificateProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const profile = await certificateProfiles.find(request.params.name);
      if (profile === null) throw profileUnknown();
      giveVersion(reply, profile.version);
      return toBody(profile);
    },
  );

  app.get(
    '/api/v1/certificate-profiles/:name/versions',
    {
      config: { permission: 'cards:read' },
      schema: {
        operationId: 'listCertificateProfileVersions',
        summary: 'All versions of a certificate profile, newest first: what counted when, and who said so.',
        tags: ['certificates'],
        params,
        response: { 200: ref(CertificateProfileList), default: ref(Problem) },
      },
    },
    async (request) => {
      const versions = await certificateProfiles.versions(request.params.name);
      if (versions.length === 0) throw profileUnknown();
      return { items: versions.map(toBody) };
    },
  );

  app.post(
    '/api/v1/certificate-profiles',
    {
      config: { permission: 'profiles:create', act: 'certificate-profile.created' },
      schema: {
        operationId: 'createCertificateProfile',
        summary: 'Make a certificate profile.',
        tags: ['certificates'],
        body: ref(NewCertificateProfile),
        response: { 201: ref(CertificateProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { name, kind } = request.body;
      const contents = { ...contentsOf(request.body), kind };
      const profile = await createCertificateProfile(deps, intentOf(request), name, contents);
      giveVersion(reply, profile.version);
      reply.code(201).header('location', `/api/v1/certificate-profiles/${name}`);
      return toBody(profile);
    },
  );

  app.put(
    '/api/v1/certificate-profiles/:name',
    {
      config: { permission: 'profiles:create', act: 'certificate-profile.changed' },
      schema: {
        operationId: 'changeCertificateProfile',
        summary: 'Save a new version, which counts for what is asked for from now on.',
        description: 'Certificates that were issued stay as they are. The kind of a profile stays.',
        tags: ['certificates'],
        params,
        body: ref(ChangedCertificateProfile),
        response: { 200: ref(CertificateProfileSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const expected = versionToChange(request);
      const { name } = request.params;
      const contents = contentsOf(request.body);
      const profile = await changeCertificateProfile(deps, intentOf(request, request.body), name, expected, contents);
      giveVersion(reply, profile.version);
      return toBody(profile);
    },
  );

  app.post(
    '/api/v1/certificate-profiles/previews',
    {
      config: { permission: 'profiles:create', act: 'certificate-profile.previewed' },
      schema: {
        operationId: 'previewCertificate',
        summary: 'What a certificate of such a profile would say of a person. Nothing is saved or signed.',
        tags: ['certificates'],
        body: ref(PreviewRequest),
        response: { 200: ref(CertificatePreviewSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const { profile, personId, hostName = '' } = request.body;
      const person = await deps.personViews.find(personId);
      if (person === null) {
        const fields = [{ pointer: '/personId', detail: 'There is no such person.' }];
        throw new DomainError('unprocessable', 'person-unknown', 'There is no such person.', { fields });
      }
      const contents = { ...contentsOf(profile), kind: profile.kind };
      const authorities = deps.authorities.describe();
      const preview = previewCertificate(contents, authorities, person, hostName, deps.runtime.now());
      const { subjectAltName, keyUsage, extendedKeyUsage, notBefore, notAfter, renewableFrom, ...rest } = preview;
      return {
        ...rest,
        subjectAltName: [...subjectAltName],
        keyUsage: { rsa: [...keyUsage.rsa], ec: [...keyUsage.ec] },
        extendedKeyUsage: [...extendedKeyUsage],
        notBefore: notBefore.toISOString(),
        notAfter: notAfter.toISOString(),
        renewableFrom: renewableFrom.toISOString(),
      };
    },
  );
}
