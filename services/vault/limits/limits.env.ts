import { DomainError } from '@cardwright/protocol';
import { type AnswerLimits, DEFAULT_LIMITS } from './limits.ts';

/**
 * VAULT_LIMIT_PER_CARD, VAULT_LIMIT_PER_REQUESTER, VAULT_LIMIT_IN_ALL: answers an hour, whole numbers from 1.
 * @throws DomainError `configuration-invalid` (unprocessable).
 */
export function readLimits(env: NodeJS.ProcessEnv): AnswerLimits {
  return {
    perCard: limit(env, 'VAULT_LIMIT_PER_CARD', DEFAULT_LIMITS.perCard),
    perRequester: limit(env, 'VAULT_LIMIT_PER_REQUESTER', DEFAULT_LIMITS.perRequester),
    inAll: limit(env, 'VAULT_LIMIT_IN_ALL', DEFAULT_LIMITS.inAll),
  };
}

function limit(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new DomainError(
      'unprocessable',
      'configuration-invalid',
      `${name} must be a whole number from 1 to 999999999: the answers that may be given in an hour.`,
    );
  }
  return Number(text);
}
