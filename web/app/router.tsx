import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, Outlet, redirect } from '@tanstack/react-router';
import { auditFilterOf } from '../audit/audit-filter.ts';
import { EventsPage } from '../audit/EventsPage.tsx';
import { AuthoritiesPage } from '../authorities/AuthoritiesPage.tsx';
import { CardProfilePage } from '../card-profiles/CardProfilePage.tsx';
import { CardProfilesPage } from '../card-profiles/CardProfilesPage.tsx';
import { NewCardProfilePage } from '../card-profiles/NewCardProfilePage.tsx';
import { CardPage } from '../cards/CardPage.tsx';
import { CertificateProfilePage } from '../certificate-profiles/CertificateProfilePage.tsx';
import { CertificateProfilesPage } from '../certificate-profiles/CertificateProfilesPage.tsx';
import { NewCertificateProfilePage } from '../certificate-profiles/NewCertificateProfilePage.tsx';
import { CertificatePage } from '../certificates/CertificatePage.tsx';
import { CertificatesPage } from '../certificates/CertificatesPage.tsx';
import { certificateFilterOf } from '../certificates/certificate-filter.ts';
import { DevicePage } from '../devices/DevicePage.tsx';
import { EndingPage } from '../expiries/EndingPage.tsx';
import { ExpiriesPage } from '../expiries/ExpiriesPage.tsx';
import { ITEM_STATES } from '../operations/ItemList.tsx';
import { NewBatchPage } from '../operations/NewBatchPage.tsx';
import { OperationPage } from '../operations/OperationPage.tsx';
import { OperationsPage } from '../operations/OperationsPage.tsx';
import type { ItemState } from '../operations/operations.queries.ts';
import { NewPersonPage } from '../people/NewPersonPage.tsx';
import { PersonPage } from '../people/PersonPage.tsx';
import { SearchPage } from '../search/SearchPage.tsx';
import { SignInPage } from '../sign-in/SignInPage.tsx';
import { ApprovalPage } from '../unblock/ApprovalPage.tsx';
import { UnblockPage } from '../unblock/UnblockPage.tsx';
import { WorkQueuePage } from '../work-queue/WorkQueuePage.tsx';
import { NotFoundPage } from './NotFoundPage.tsx';
import { parsePlainSearch, stringifyPlainSearch } from './plain-search.ts';
import { RouteProblem } from './RouteProblem.tsx';
import { Shell } from './Shell.tsx';
import { isSignedOut, sessionQuery } from './session.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
  errorComponent: RouteProblem,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { redirect?: string } => {
    const back = text(search.redirect);
    return back === undefined ? {} : { redirect: back };
  },
  component: () => <SignInPage returnPath={signIn.useSearch().redirect} />,
});

/** Everything but the sign-in page: nobody who is not signed in gets here, and comes back after. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { redirect: location.href } });
      throw error;
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  validateSearch: (search: Record<string, unknown>): { q?: string } => {
    const q = text(search.q);
    return q === undefined ? {} : { q: q.slice(0, 200) };
  },
  component: function Home() {
    const navigate = home.useNavigate();
    return (
      <SearchPage
        q={home.useSearch().q ?? ''}
        onSearch={(q) => void navigate({ search: q === '' ? {} : { q }, replace: true })}
      />
    );
  },
});

const newPerson = createRoute({ getParentRoute: () => signedIn, path: '/people/new', component: NewPersonPage });
const person = createRoute({
  getParentRoute: () => signedIn,
  path: '/people/$personId',
  component: () => <PersonPage key={person.useParams().personId} {...person.useParams()} />,
});
const card = createRoute({
  getParentRoute: () => signedIn,
  path: '/cards/$cardId',
  component: () => <CardPage key={card.useParams().cardId} {...card.useParams()} />,
});
const unblock = createRoute({
  getParentRoute: () => signedIn,
  path: '/cards/$cardId/unblock',
  validateSearch: (search: Record<string, unknown>): { session?: string } => {
    const session = text(search.session);
    return session === undefined ? {} : { session };
  },
  component: () => (
    <UnblockPage
      key={unblock.useParams().cardId}
      cardId={unblock.useParams().cardId}
      sessionId={unblock.useSearch().session}
    />
  ),
});
const unblockSession = createRoute({
  getParentRoute: () => signedIn,
  path: '/unblock-sessions/$unblockSessionId',
  component: () => <ApprovalPage key={unblockSession.useParams().unblockSessionId} {...unblockSession.useParams()} />,
});
const device = createRoute({
  getParentRoute: () => signedIn,
  path: '/devices/$deviceId',
  component: () => <DevicePage key={device.useParams().deviceId} {...device.useParams()} />,
});
const certificate = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificates/$certificateId',
  component: () => <CertificatePage key={certificate.useParams().certificateId} {...certificate.useParams()} />,
});
const certificates = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificates',
  validateSearch: certificateFilterOf,
  component: function Certificates() {
    const navigate = certificates.useNavigate();
    return (
      <CertificatesPage filter={certificates.useSearch()} onFilter={(filter) => void navigate({ search: filter })} />
    );
  },
});
const cardProfiles = createRoute({
  getParentRoute: () => signedIn,
  path: '/card-profiles',
  component: CardProfilesPage,
});
const newCardProfile = createRoute({
  getParentRoute: () => signedIn,
  path: '/card-profiles/new',
  component: NewCardProfilePage,
});
const cardProfile = createRoute({
  getParentRoute: () => signedIn,
  path: '/card-profiles/$name',
  component: () => <CardProfilePage key={cardProfile.useParams().name} {...cardProfile.useParams()} />,
});
const certificateProfiles = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificate-profiles',
  component: CertificateProfilesPage,
});
const newCertificateProfile = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificate-profiles/new',
  component: NewCertificateProfilePage,
});
const certificateProfile = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificate-profiles/$name',
  component: () => (
    <CertificateProfilePage key={certificateProfile.useParams().name} {...certificateProfile.useParams()} />
  ),
});
const authorities = createRoute({ getParentRoute: () => signedIn, path: '/authorities', component: AuthoritiesPage });
const expiries = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificate-expiries',
  component: ExpiriesPage,
});
const ending = createRoute({
  getParentRoute: () => signedIn,
  path: '/certificate-expiries/$month',
  component: () => <EndingPage key={ending.useParams().month} {...ending.useParams()} />,
});
const newBatch = createRoute({
  getParentRoute: () => signedIn,
  path: '/revocation-batches/new',
  component: NewBatchPage,
});
const operations = createRoute({ getParentRoute: () => signedIn, path: '/operations', component: OperationsPage });
const operation = createRoute({
  getParentRoute: () => signedIn,
  path: '/operations/$operationId',
  validateSearch: (search: Record<string, unknown>): { state?: ItemState } => {
    const state = ITEM_STATES.find((one) => one === search.state);
    return state === undefined ? {} : { state };
  },
  component: function OneOperation() {
    const navigate = operation.useNavigate();
    return (
      <OperationPage
        key={operation.useParams().operationId}
        {...operation.useParams()}
        state={operation.useSearch().state}
        onState={(state) => void navigate({ search: state === undefined ? {} : { state }, replace: true })}
      />
    );
  },
});
const workQueue = createRoute({ getParentRoute: () => signedIn, path: '/work-queue', component: WorkQueuePage });
const events = createRoute({
  getParentRoute: () => signedIn,
  path: '/events',
  validateSearch: auditFilterOf,
  component: function Events() {
    const navigate = events.useNavigate();
    return <EventsPage filter={events.useSearch()} onFilter={(filter) => void navigate({ search: filter })} />;
  },
});

const routeTree = root.addChildren([
  signIn,
  signedIn.addChildren([
    home,
    newPerson,
    person,
    card,
    unblock,
    unblockSession,
    device,
    certificate,
    certificates,
    cardProfiles,
    newCardProfile,
    cardProfile,
    certificateProfiles,
    newCertificateProfile,
    certificateProfile,
    authorities,
    expiries,
    ending,
    newBatch,
    operations,
    operation,
    workQueue,
    events,
  ]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    basepath: import.meta.env.BASE_URL,
    parseSearch: parsePlainSearch,
    stringifySearch: stringifyPlainSearch,
    scrollRestoration: true,
    defaultErrorComponent: RouteProblem,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
