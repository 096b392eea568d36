import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { type Command, command } from './command.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof SHELLS;

/** `commands`: the table that this command stands in itself. */
export const completionCommand = (commands: () => readonly Command[]): Command =>
  command({
    name: 'completion',
    summary: 'print what lets a shell complete commands and options',
    about:
      'The package installs it for all three shells; where the agent is one file only, put it where the shell looks.',
    word: { name: 'SHELL', values: Object.keys(SHELLS), about: 'the shell' },
    options: {},
    examples: [
      'source <(cardwright-agent completion bash)',
      'cardwright-agent completion zsh > ~/.zfunc/_cardwright-agent',
      'cardwright-agent completion fish > ~/.config/fish/completions/cardwright-agent.fish',
    ],
    run: async (context, _, word) => context.output.print(SHELLS[word as Shell](commands()).trimEnd()),
  });
