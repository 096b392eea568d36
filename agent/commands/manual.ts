import { manualPage } from '../manual.ts';
import { type Command, command } from './command.ts';

/** `commands`: the table that this command stands in itself. */
export const manualCommand = (commands: () => readonly Command[], version: string): Command =>
  command({
    name: 'manual',
    summary: 'print the manual page',
    about: 'All of what --help says, as a page for man(1). The package installs it.',
    options: {},
    examples: ['cardwright-agent manual | man -l -'],
    run: async (context) => context.output.print(manualPage(commands(), version).trimEnd()),
  });
