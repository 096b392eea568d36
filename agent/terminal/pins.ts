import { DomainError, Secret } from '@cardwright/protocol';
import { checkPin, normalisedPin, type PinPolicy } from '@cardwright/protocol/pin';
import type { PinSource } from './port.ts';

const ATTEMPTS = 3;

/** Reads one line without showing it; null when the input has ended. */
export type HiddenLine = (prompt: string) => Promise<string | null>;

/**
 * PINs from a source of hidden lines. `interactive`: a person types, so a new PIN is asked for twice and a refused one
 * may be corrected; otherwise each line is one PIN.
 */
export function pinsFrom(read: HiddenLine, interactive: boolean, note: (text: string) => void): PinSource {
  const enter = async (prompt: string): Promise<string> => {
    const line = await read(prompt);
    if (line === null || line === '') {
      throw new DomainError('invalid', 'pin-missing', 'A PIN was expected, and none was given: one line, not empty.');
    }
    return normalisedPin(line);
  };
  const chooseOnce = async (what: string, policy: PinPolicy): Promise<Secret> => {
    const pin = await enter(what);
    const verdict = checkPin(pin, policy);
    if (!verdict.ok) throw new DomainError('invalid', verdict.code, verdict.detail);
    if (interactive && (await enter(`${what}, once more`)) !== pin) {
      throw new DomainError('invalid', 'pin-mismatch', 'The two PINs differ; type the same one twice.');
    }
    return Secret.fromText(pin);
  };
  return {
    enter: async (what) => Secret.fromText(await enter(what)),
    choose: async (what, policy) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await chooseOnce(what, policy);
        } catch (error) {
          const again =
            interactive && attempt < ATTEMPTS && error instanceof DomainError && error.code !== 'pin-missing';
          if (!again) throw error;
          note(error.detail);
        }
      }
    },
  };
}
