import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './api-error.ts';
import { isSignedOut } from './session.ts';
import { setSignedOut } from './signed-out.ts';

function heard(error: unknown): void {
  if (isSignedOut(error)) setSignedOut(true);
}

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      // the session query itself is asked before any page is open: the router sends that 401 to the sign-in page
      onError: (error, query) => (query.queryKey[0] === 'session' ? undefined : heard(error)),
    }),
    mutationCache: new MutationCache({
      onError: (error, _input, _context, mutation) =>
        mutation.options.mutationKey?.[0] === 'sign-in' ? undefined : heard(error),
    }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => error instanceof ApiError && error.outcomeUnknown && count < 2,
      },
    },
  });
}
