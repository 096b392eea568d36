import { createInterface } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { HiddenLineEditor } from './keyboard.ts';
import { Interrupted, type LineSource } from './port.ts';

const LINE_MAX = 4096;
const LINES_AHEAD_MAX = 64;

/**
 * Asks at the terminal, with the prompt on standard error so that standard output stays a clean result. Whatever ends
 * the question (an answer, Ctrl-C, a signal) gives the terminal back as it was. Throws {@link Interrupted}.
 */
export async function askHidden(input: ReadStream, prompt: string): Promise<string | null> {
  const wasRaw = input.isRaw;
  // Raw before the prompt shows: what is typed ahead must not be echoed either.
  input.setRawMode(true);
  const restore = () => input.setRawMode(wasRaw);
  const onSignal = (signal: NodeJS.Signals) => {
    restore();
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
  };
  process.on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  process.stderr.write(`${prompt}: `);
  try {
    return await hiddenLine(input);
  } finally {
    process.off('SIGTERM', onSignal).off('SIGHUP', onSignal);
    restore();
    input.pause();
    process.stderr.write('\n');
  }
}

function hiddenLine(input: ReadStream): Promise<string | null> {
  const editor = new HiddenLineEditor();
  const decoder = new StringDecoder('utf8');
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      input.off('data', onData).off('end', onEnd).off('error', onEnd);
      settle();
    };
    const onEnd = () => finish(() => resolve(null));
    const onData = (chunk: Buffer) => {
      const result = editor.type(decoder.write(chunk));
      if (!result.done) return;
      if (result.end === 'line') finish(() => resolve(result.line));
      else if (result.end === 'input') finish(() => resolve(null));
      else finish(() => reject(new Interrupted()));
    };
    input.on('data', onData).on('end', onEnd).on('error', onEnd);
    input.resume();
  });
}

/**
 * Lines that may be seen, such as a response's. What is typed or pasted ahead is kept for the next question; the
 * terminal is given back when `close` is called, or the input ends. Throws {@link Interrupted}.
 */
export function keyboardLines(input: ReadStream): LineSource {
  const lines = createInterface({ input, output: process.stderr, terminal: true, historySize: 0 });
  const ahead: string[] = [];
  let waiting: { resolve(line: string | null): void; reject(error: Error): void } | undefined;
  let ended: 'input' | 'interrupt' | undefined;
  const settle = () => {
    if (waiting === undefined) return;
    const line = ahead.shift();
    if (line !== undefined) waiting.resolve(line);
    else if (ended === 'interrupt') waiting.reject(new Interrupted());
    else if (ended === 'input') waiting.resolve(null);
    else return;
    waiting = undefined;
  };
  lines.on('line', (line) => {
    if (ahead.length < LINES_AHEAD_MAX) ahead.push(line.slice(0, LINE_MAX));
    settle();
  });
  lines.on('SIGINT', () => {
    ended = 'interrupt';
    lines.close();
  });
  lines.on('close', () => {
    ended ??= 'input';
    settle();
  });
  return {
    interactive: true,
    line: (prompt) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        if (ended === undefined) {
          lines.setPrompt(`${prompt}: `);
          lines.prompt();
        }
        settle();
      }),
    close: () => lines.close(),
  };
}
