import { DomainError } from '@cardwright/protocol';
import { required, text } from '../arguments.ts';
import type { Log } from '../service/log.ts';
import { workFor } from '../service/serve.ts';
import type { AgentTask } from '../tasks/agent-task.ts';
import { execute } from '../tasks/execute.ts';
import type { TaskResult } from '../tasks/journal.ts';
import { replaceKey } from '../tasks/replace-key.ts';
import type { TaskHandler, TaskWork } from '../tasks/task.ts';
import { type Context, command, deviceOptions, jsonOption } from './command.ts';

export const takeOverCommand = command({
  name: 'take-over',
  summary: 'change the administrator key of a card in a reader, when the server asks for it',
  about:
    'Does now what is waiting for a smart card in a reader of this device: its administrator key is changed to one that ' +
    'only the vault knows. An operator asks for it by registering the card to be taken over, or by a change of its key. ' +
    'The service (run) does the same by itself when the card is in a reader. Leave the card in until it is done; if it is ' +
    'interrupted, run it again. Physical cards may destroy themselves after a few wrong answers: each is tried once only.',
  options: {
    card: required('SERIAL', 'the card: its card id, 32 hexadecimal digits'),
    reader: text('NAME', 'look only into this card reader'),
    ...deviceOptions,
    ...jsonOption,
  },
  examples: ['cardwright-agent take-over --card 3F2504E04F8941D39A0C0305E82C3301'],
  run: async (context, options) => {
    const { work, task } = await waiting(context, options);
    let result: TaskResult | undefined;
    const handler: TaskHandler = async (...asked) => {
      result = await replaceKey(options.reader)(...asked);
      return result;
    };
    await execute(work, task, handler);
    const serial = task.cardSerial;
    if (result?.outcome === 'failed') {
      const { code, detail } = result;
      throw new DomainError('unprocessable', code ?? 'task-failed', detail ?? 'The card could not be changed.');
    }
    const keyVersion = result?.keyVersion ?? null;
    if (options.json) context.output.print(JSON.stringify({ serial, keyVersion }));
    else context.output.print(`Card ${serial} has a new administrator key. You may take the card out.`);
  },
});

interface Waiting {
  readonly work: TaskWork;
  readonly task: AgentTask;
}

/** Throws `task-missing` (not-found). */
async function waiting(
  context: Context,
  { card, store, tpm }: { readonly card: string; readonly store: string | undefined; readonly tpm: string | undefined },
): Promise<Waiting> {
  for (const server of context.readStore(store).document.servers) {
    const work = workFor(context, { store, tpm }, server, warnTo(context));
    const { tasks } = await work.server.checkIn({ cards: [], agentVersion: context.service.agentVersion });
    const task = tasks.find(
      ({ kind, cardKind, cardSerial }) =>
        kind === 'change-administrator-key' && cardKind === 'minidriver' && same(cardSerial, card),
    );
    if (task !== undefined) return { work, task };
  }
  const detail =
    'No server asks this device to change the key of that card. Have an operator register it for this device, to be taken ' +
    'over, or ask for a change of its key.';
  throw new DomainError('not-found', 'task-missing', detail);
}

/** Of what `run` logs, what who stands at the reader should know. */
const warnTo =
  ({ output }: Context): Log =>
  (event, facts) => {
    if (event !== 'key-answer-refused') return;
    output.note(
      `The card refused the answer of administrator key version ${facts?.keyVersion}. Each version is tried once: some ` +
        'cards destroy themselves after a few wrong answers.',
    );
  };

const same = (one: string | null, other: string) => one?.toLowerCase() === other.toLowerCase();
