import { flag } from '../arguments.ts';
import { command, deviceOptions, jsonOption } from './command.ts';

export const messagesCommand = command({
  name: 'messages',
  summary: 'show what operators wrote to the people of this device',
  about:
    'Shows the messages that `run` received, the newest last, and marks those not seen before. The last 64 are kept. ' +
    'That a message was shown here is not told to the server.',
  options: {
    new: flag('only those not shown before'),
    clear: flag('remove them after they are shown'),
    store: deviceOptions.store,
    ...jsonOption,
  },
  examples: ['cardwright-agent messages --new'],
  run: async (context, options) => {
    const { messages } = context.readStore(options.store).document;
    const shown = options.new ? messages.filter((message) => message.shown === 'no') : messages;
    if (options.json) {
      const list = shown.map(({ serial, text, receivedAt, shown: before }) => ({
        serial,
        text,
        receivedAt,
        new: before === 'no',
      }));
      context.output.print(JSON.stringify({ messages: list }, null, 2));
    } else if (shown.length === 0) context.output.print('There are no messages.');
    else {
      for (const { serial, text, receivedAt, shown: before } of shown) {
        const about = serial === null ? '' : `, card ${serial}`;
        context.output.print(
          `${before === 'no' ? '* ' : '  '}${receivedAt.slice(0, 16).replace('T', ' ')}${about}\n    ${text}`,
        );
      }
    }
    const seen = new Set(shown.map(({ taskId }) => taskId));
    if (seen.size === 0 || (!options.clear && shown.every((message) => message.shown === 'yes'))) return;
    await context.changeStore(options.store, async (store) => {
      const rest = store.document.messages.filter(({ taskId }) => !options.clear || !seen.has(taskId));
      store.putMessages(rest.map((message) => (seen.has(message.taskId) ? { ...message, shown: 'yes' } : message)));
    });
  },
});
