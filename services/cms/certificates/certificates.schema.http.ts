import { type Static, Type } from 'typebox';
import type { Permission } from '../kernel/permission.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { decodeCursor, limitOf, type PageRequest, pageOf, TIME_AND_UUID_KEY, UUID_KEY } from '../platform/cursor.ts';
import {
  AllowedAction,
  CardRef,
  DeviceRef,
  listOf,
  nullable,
  OperatorRef,
  oneOf,
  PersonRef,
  ref,
  time,
} from '../platform/schema.http.ts';
import { allowedActions, shownStatus } from './certificate.ts';
import { assertPast, type CertificateFilters, orderOf } from './filters.ts';
import type { CertificateView, CertificateViews } from './ports.ts';

export const ASSURANCES = ['none', 'low', 'substantial', 'high'] as const;
export const STATUSES = ['proposed', 'active', 'on-hold', 'revoked', 'expired', 'failed'] as const;

export const CertificateSchema = Type.Object(
  {
    id: Type.String(),
    cardId: Type.String(),
    deviceId: Type.String(),
    personId: Type.String(),
    container: Type.String({ description: 'The key slot on the card.' }),
    certificateProfile: nullable(Type.String({ description: 'Null: from the time before there were profiles.' })),
    certificateProfileVersion: nullable(Type.Integer()),
    authority: Type.String({ description: 'The CA that issued it, and that revokes it.' }),
    assurance: oneOf(ASSURANCES, { description: 'How sure the enrolment made it whose card this is.' }),
    status: oneOf(STATUSES),
    serialNumber: nullable(Type.String({ description: 'Lower-case hex.' })),
    thumbprint: nullable(Type.String({ description: 'SHA-256 of the DER, lower-case hex.' })),
    publicKey: nullable(Type.String({ description: 'SHA-256 of the SubjectPublicKeyInfo, lower-case hex.' })),
    subject: nullable(Type.String()),
    issuer: nullable(Type.String()),
    notBefore: nullable(time()),
    notAfter: nullable(time()),
    certificate: nullable(Type.String({ contentEncoding: 'base64', description: 'DER.' })),
    createdAt: time(),
    ignoredRequest: Type.Array(Type.String(), {
      description: 'What the request asked for beyond its key. Names come from the records: none of it was taken.',
    }),
    attestation: Type.Object(
      {
        state: oneOf(['attested', 'unattested', 'refused']),
        code: nullable(Type.String({ description: 'Why the evidence was refused.' })),
        judgedAt: nullable(time()),
      },
      { description: "Whether the device's TPM stated that the key is in it, and opened by this card's PIN alone." },
    ),
    revocation: nullable(
      Type.Object({
        state: oneOf(['proposed', 'confirmed'], { description: 'Confirmed once the CA has published it.' }),
        reason: Type.String(),
        comment: Type.String(),
        revokedAt: time(),
        requestedBy: ref(OperatorRef),
        invalidityDate: nullable(time({ description: 'Since when the certificate is not to be trusted.' })),
        lastError: nullable(
          Type.Object(
            { code: Type.String(), refused: Type.Boolean() },
            { description: 'Why the CA has not heard yet: it was away, or answered and would not.' },
          ),
        ),
        nextAttemptAt: nullable(time({ description: 'When the CA is asked again; null once it has heard.' })),
      }),
    ),
    openHold: nullable(oneOf(['hold', 'release'], { description: 'Decided and recorded, and the CA is being told.' })),
    person: ref(PersonRef),
    device: ref(DeviceRef),
    card: ref(CardRef),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  {
    $id: 'Certificate',
    examples: [
      {
        id: '0199f2a0-5555-7000-8000-000000000005',
        cardId: '0199f2a0-3333-7000-8000-000000000003',
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
        personId: '0199f2a0-1111-7000-8000-000000000001',
        container: 'sign-in',
        certificateProfile: 'smart-card-sign-in',
        certificateProfileVersion: 1,
        authority: 'embedded',
        assurance: 'substantial',
        status: 'active',
        serialNumber: '5f0c3d9a1be24c7788aa10bb42cc93de',
        thumbprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        publicKey: '76a09e41c5c71f01c4a3de42915be460866bffb499ae32268614c455bc449da2',
        subject: 'CN=Mary Major',
        issuer: 'CN=Cardwright Issuing CA',
        notBefore: '2026-11-20T09:00:00.000Z',
        notAfter: '2027-11-20T09:00:00.000Z',
        certificate: 'MIIB',
        createdAt: '2026-11-20T09:00:00.000Z',
        ignoredRequest: ['subject'],
        attestation: { state: 'attested', code: null, judgedAt: '2026-11-20T09:00:00.000Z' },
        revocation: null,
        openHold: null,
        person: {
          id: '0199f2a0-1111-7000-8000-000000000001',
          displayName: 'Mary Major',
          userPrincipalName: 'mary.major@example.com',
        },
        device: { id: '0199f2a0-2222-7000-8000-000000000002', hostName: 'lap-0421' },
        card: { id: '0199f2a0-3333-7000-8000-000000000003', serial: 'CW-7K3M-92QF' },
        allowedActions: [{ action: 'revoke', allowed: true, disabledReason: null }],
      },
    ],
  },
);
export const CertificateList = listOf(CertificateSchema, { $id: 'CertificateList' });
export const certificateComponents = [CertificateSchema, CertificateList];

const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;

/**
 * @param moment as of which `view` is.
 * @param permissions null: nothing can be done to what is past.
 */
export function toBody(
  { der, attestation, attestationCode, attestedAt, ...view }: CertificateView,
  moment: Date,
  permissions: ReadonlySet<Permission> | null,
): Static<typeof CertificateSchema> {
  const status = shownStatus(view, moment);
  return {
    ...view,
    ignoredRequest: [...view.ignoredRequest],
    status,
    notBefore: timeOf(view.notBefore),
    notAfter: timeOf(view.notAfter),
    certificate: der === null ? null : Buffer.from(der).toString('base64'),
    createdAt: view.createdAt.toISOString(),
    attestation: { state: attestation, code: attestationCode, judgedAt: timeOf(attestedAt) },
    revocation:
      view.revocation === null
        ? null
        : {
            ...view.revocation,
            revokedAt: view.revocation.revokedAt.toISOString(),
            invalidityDate: timeOf(view.revocation.invalidityDate),
            nextAttemptAt: timeOf(view.revocation.nextAttemptAt),
          },
    allowedActions:
      permissions === null ? [] : allowedActions(status, view.revocation !== null, permissions, view.openHold),
  };
}

/** One page of a list, in the order of its filters. @throws DomainError `field-invalid` of the cursor and of `asOf`. */
export async function certificatePage(
  deps: { readonly views: CertificateViews; readonly runtime: Runtime },
  filters: CertificateFilters,
  page: PageRequest,
  permissions: ReadonlySet<Permission>,
): Promise<Static<typeof CertificateList>> {
  const limit = limitOf(page);
  const now = deps.runtime.now();
  const { asOf } = filters;
  assertPast(filters, now);
  const byEnd = orderOf(filters) !== 'newest';
  const after = decodeCursor(page.cursor, byEnd ? TIME_AND_UUID_KEY : UUID_KEY);
  const rows = await deps.views.list(filters, now, after, limit + 1);
  return pageOf(
    rows,
    limit,
    (row) => (byEnd ? `${row.notAfter?.toISOString()}|${row.id}` : row.id),
    (row) => toBody(row, asOf ?? now, asOf === undefined ? permissions : null),
  );
}
