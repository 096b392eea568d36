import { DomainError, isDomainError } from '@cardwright/protocol';
import { encodeLines, LOCKOUT_RESPONSE_BYTES } from '@cardwright/protocol/challenge';
import { flag } from '../arguments.ts';
import type { LockoutChallenge } from '../lockout/port.ts';
import { lockoutChallengeBytes, readLockoutResponse } from '../lockout/texts.ts';
import { typedResponse } from '../unblock/typed-response.ts';
import { type Context, command, deviceOptions, jsonOption } from './command.ts';

const ATTEMPTS = 3;

export const resetLockoutCommand = command({
  name: 'reset-lockout',
  summary: 'unlock the TPM itself with the help of an operator',
  about:
    'Of a TPM whose lockout is under protection (protect-lockout), and that is locked after wrong passwords for other things ' +
    'on this machine: shows a challenge to be read to an operator, and takes the response that the operator reads back. ' +
    'Forgives the wrong tries, and changes nothing else. Works without the network. The challenge lives only while this ' +
    'command runs. For scripts: the challenge is on standard output, --response-stdin takes the lines of the response.',
  options: {
    ...deviceOptions,
    'response-stdin': flag('read the response from standard input'),
    ...jsonOption,
  },
  examples: ['cardwright-agent reset-lockout'],
  run: async (context, options) => {
    const known = context.readStore(options.store).document.lockout;
    if (known === null) {
      const detail = "The lockout of this device's TPM is under no protection that this store knows (protect-lockout).";
      throw new DomainError('conflict', 'lockout-not-protected', detail);
    }
    await context.useLockout(options.tpm, async (lockout) => {
      const challenge = await lockout.challenge(new Uint8Array(Buffer.from(known.authority, 'base64')));
      try {
        await answered(context, known.deviceId, challenge, options);
      } finally {
        await challenge.abandon();
      }
    });
    if (options.json) context.output.print(JSON.stringify({ deviceId: known.deviceId, reset: true }));
    else context.output.print('The TPM is unlocked: its wrong tries are forgiven.');
  },
});

async function answered(
  context: Context,
  deviceId: string,
  challenge: LockoutChallenge,
  options: { readonly json: boolean; readonly 'response-stdin': boolean },
): Promise<void> {
  const { output } = context;
  const bytes = lockoutChallengeBytes(deviceId, challenge.nonce);
  const lines = encodeLines(bytes);
  if (options.json) output.print(JSON.stringify({ deviceId, challenge: lines }));
  else output.print([`Device ${context.host.name}`, 'Challenge:', ...lines.map((line) => `  ${line}`)].join('\n'));
  const source = context.lines(options['response-stdin']);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const typed = await typedResponse(source, output, LOCKOUT_RESPONSE_BYTES);
        return await challenge.finish(readLockoutResponse(typed, bytes));
      } catch (error) {
        const again = source.interactive && attempt < ATTEMPTS && isDomainError(error) && CORRECTABLE.has(error.code);
        if (!again) throw error;
        output.note(error.detail);
      }
    }
  } finally {
    source.close();
  }
}

/** The challenge still stands after these. */
const CORRECTABLE = new Set(['response-mistyped', 'response-for-another-challenge', 'response-refused-by-tpm']);
