import { Type } from 'typebox';
import { CertificateList, type CertificateViews, certificatePage } from '../certificates/index.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { callerOf } from '../platform/authentication.http.ts';
import { closed, line, nullable, Problem, paging, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { MONTH_FORM, monthAfter, monthOf, spanOf } from './month.ts';
import type { CertificateExpiries } from './ports.ts';

const MOST_MONTHS = 120;
const CertificateExpiriesSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        month: Type.String({ description: 'Of UTC. A month in which none ends is left out.' }),
        count: Type.Integer(),
        profiles: Type.Array(Type.Object({ certificateProfile: nullable(Type.String()), count: Type.Integer() })),
      }),
    ),
  },
  {
    $id: 'CertificateExpiries',
    examples: [
      {
        items: [{ month: '2027-11', count: 412, profiles: [{ certificateProfile: 'smart-card-sign-in', count: 412 }] }],
      },
    ],
  },
);
export const expiryComponents = [CertificateExpiriesSchema];

interface Dependencies {
  readonly expiries: Pick<CertificateExpiries, 'counts'>;
  readonly views: CertificateViews;
  readonly runtime: Runtime;
}

export function registerExpiryRoutes(app: App, deps: Dependencies): void {
  const month = (more: object = {}) =>
    Type.String({ pattern: MONTH_FORM, maxLength: 7, examples: ['2027-11'], ...more });

  app.get(
    '/api/v1/certificate-expiries',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'countCertificateExpiries',
        summary: 'How many certificates that are in force or on hold end in each month, by profile.',
        tags: ['certificates'],
        querystring: closed({
          from: Type.Optional(month({ description: 'This month, when left out.' })),
          months: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_MONTHS, default: 24 })),
          certificateProfile: Type.Optional(line(64)),
        }),
        response: { 200: ref(CertificateExpiriesSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const { from = monthOf(deps.runtime.now()), months = 24, certificateProfile: only } = request.query;
      const items = new Map<string, { month: string; count: number; profiles: ProfileCount[] }>();
      for (const { month: name, certificateProfile, count } of await deps.expiries.counts(
        from,
        monthAfter(from, months),
      )) {
        if (only !== undefined && certificateProfile !== only) continue;
        const item = items.get(name) ?? { month: name, count: 0, profiles: [] };
        item.count += count;
        item.profiles.push({ certificateProfile, count });
        items.set(name, item);
      }
      return { items: [...items.values()] };
    },
  );

  app.get(
    '/api/v1/certificate-expiries/:month/certificates',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listCertificateExpiries',
        summary: 'The certificates in force or on hold that end in a month, the one that ends first first.',
        tags: ['certificates'],
        params: closed({ month: month() }),
        querystring: closed({ certificateProfile: Type.Optional(line(64)), ...paging }),
        response: { 200: ref(CertificateList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { certificateProfile, ...page } = request.query;
      const filters = { certificateProfile, ending: spanOf(request.params.month) };
      return certificatePage(deps, filters, page, callerOf(request).permissions);
    },
  );
}

interface ProfileCount {
  certificateProfile: string | null;
  count: number;
}
