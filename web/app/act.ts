import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { newIdempotencyKey } from './api.ts';
import { ApiError } from './api-error.ts';

/** Headers of one unsafe request. */
export type ActHeaders = { 'idempotency-key': string };

/** No answer came, or the first try is still at work: asking again with the same key gives its answer. */
function mayStillSucceed(error: ApiError): boolean {
  return error.outcomeUnknown || error.code === 'idempotency-key-under-way';
}

/**
 * A change made by the operator. When no answer came (server gone, 5xx) and the operator presses again without having
 * changed anything, the same Idempotency-Key is sent: the act happens once. After an answer, or other input, a new one.
 */
export function useAct<Input, Answer>(options: {
  perform: (input: Input, headers: ActHeaders) => Promise<Answer>;
  /** queries whose answers the act changes */
  touches?: readonly QueryKey[];
  onDone?: (answer: Answer, input: Input) => void;
  onRefused?: (error: ApiError) => void;
}) {
  const queryClient = useQueryClient();
  const open = useRef<{ body: string; key: string } | null>(null);
  return useMutation<Answer, Error, Input>({
    retry: false,
    // an answer may show a code or a response once: it is not kept longer than what shows it
    gcTime: 0,
    mutationFn: async (input) => {
      const body = JSON.stringify(input) ?? '';
      if (open.current?.body !== body) open.current = { body, key: newIdempotencyKey() };
      try {
        const answer = await options.perform(input, { 'idempotency-key': open.current.key });
        open.current = null;
        return answer;
      } catch (error) {
        if (!(error instanceof ApiError && mayStillSucceed(error))) open.current = null;
        throw error;
      }
    },
    onSuccess: (answer, input) => {
      for (const queryKey of options.touches ?? []) void queryClient.invalidateQueries({ queryKey });
      options.onDone?.(answer, input);
    },
    onError: (error) => {
      if (error instanceof ApiError) options.onRefused?.(error);
    },
  });
}
