import type { HardwareLock } from '../card/port.ts';
import { spanText } from '../spans.ts';

/** Of a lock that holds. What it keeps from being done says so itself, by `tpm-locked-out`. */
export function lockText({ releasedWithinSeconds }: HardwareLock): string {
  const until = releasedWithinSeconds === null ? 'until it is reset' : `for at most ${spanText(releasedWithinSeconds)}`;
  return (
    `Note: the TPM itself is locked ${until}, after wrong passwords for other things on this machine. ` +
    'The tries of the cards are not concerned. See cardwright-agent doctor.'
  );
}
