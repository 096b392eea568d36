import { DomainError } from '@cardwright/protocol';
import { flag } from '../arguments.ts';
import { logTo } from '../service/log.ts';
import { serve, serveOnce } from '../service/serve.ts';
import { command, deviceOptions } from './command.ts';

export const runCommand = command({
  name: 'run',
  summary: 'keep in touch with the server: report the cards, do what it asks',
  about:
    "Runs until it is ended (SIGTERM), as a service; SIGUSR2 has it ask now. At the server's intervals it reports the tries left of each card, and " +
    "does the tasks that it is given: change a card's administrator key, pass on a message, take a card out of use or " +
    'destroy it, renew certificates. Needs no PIN. A server that is away is asked again, ever more rarely; meanwhile the ' +
    'cards work as always. Other commands may be used at the same time. One line an event on standard output. One at a ' +
    'time for each store.',
  options: {
    once: flag('one round with each server, then end'),
    ...deviceOptions,
    json: flag('log JSON, one object a line; errors too (on standard error)'),
  },
  examples: ['cardwright-agent run', 'cardwright-agent run --once --json'],
  run: async (context, options) => {
    const { store, tpm } = options;
    const log = logTo(context.output.print, context.now, options.json);
    await context.service.alone(store, async () => {
      if (!options.once) return serve(context, { store, tpm }, log);
      const problems = await serveOnce(context, { store, tpm }, log);
      const [first] = problems;
      if (first === undefined) return;
      const detail = `Not everything could be done now (${problems.join(', ')}). Nothing is lost: it is tried again.`;
      throw new DomainError('unavailable', 'round-incomplete', detail, { data: { problems } });
    });
  },
});
