import { rotateKek } from '../rotation/rotate-kek.ts';
import { type CommandContext, withKeyWork } from './key-work.cli.ts';

/** `vault rotate-kek`: a new key-encryption key, while the vault serves. */
export async function rotateKekCommand(context: CommandContext): Promise<void> {
  const { kekVersion, rewrapped, resumed } = await withKeyWork(context, rotateKek);
  context.say(
    resumed
      ? `Completed. KEK ${kekVersion} is the active one; re-wrapped now: ${rewrapped}.`
      : `Done. KEK ${kekVersion} is the active one; re-wrapped: ${rewrapped}.`,
  );
}
