import type { AgentTask } from './agent-task.ts';
import { destroyCard, retireCard } from './end-card.ts';
import { failed } from './journal.ts';
import { reAttest } from './re-attest.ts';
import { renewCertificates } from './renew-certificates.ts';
import { replaceKey } from './replace-key.ts';
import { showMessage } from './show-message.ts';
import { succeedKey } from './succeed-key.ts';
import type { TaskHandler } from './task.ts';

/** By kind of task and, where the card's technology matters, kind of card. */
const HANDLERS: Readonly<Record<string, TaskHandler | Readonly<Record<string, TaskHandler>>>> = {
  'change-administrator-key': { tpm: succeedKey, minidriver: replaceKey() },
  destroy: { tpm: destroyCard },
  retire: { tpm: retireCard },
  're-attest': { tpm: reAttest },
  renew: { tpm: renewCertificates },
  message: showMessage,
};

/** Undefined: a kind of a newer server. */
export function handlerOf({ kind, cardKind }: Pick<AgentTask, 'kind' | 'cardKind'>): TaskHandler | undefined {
  const found = Object.hasOwn(HANDLERS, kind) ? HANDLERS[kind] : undefined;
  if (found === undefined || typeof found === 'function') return found;
  const technology = cardKind ?? '';
  return (Object.hasOwn(found, technology) ? found[technology] : undefined) ?? notForThisCard;
}

const notForThisCard: TaskHandler = async (_work, { kind }) =>
  failed('task-not-for-this-card', `This agent does not do "${kind}" for this kind of card.`);
