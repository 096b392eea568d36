import { DAY_MS } from './policy.ts';

/** Days before a certificate's end at which its holder is told again. */
export const REMINDER_DAYS = [14, 3] as const;
/** What an operator asked for is not counted in days. */
export const ASKED_FOR = 0;

/** Which reminder is due now; null before the first. One that was missed is not made up for: the next one says it. */
export function dueReminder(notAfter: Date, now: Date): number | null {
  const left = notAfter.getTime() - now.getTime();
  return REMINDER_DAYS.toSorted((a, b) => a - b).find((days) => left <= days * DAY_MS) ?? null;
}

/** For who uses the device. */
export function waitsForPin(serial: string, container: string, notAfter: Date): string {
  const until = notAfter.toISOString().slice(0, 10);
  return (
    `The certificate for ${container} of card ${serial} ends on ${until}. The next one gets a new key, for which your PIN ` +
    `is needed. Run: cardwright-agent renew --card ${serial}`
  );
}
