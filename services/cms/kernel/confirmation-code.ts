import { timingSafeEqual } from 'node:crypto';
import type { Runtime } from './runtime.ts';

/**
 * Six digits that a device shows and a person reads out: they tie what an operator decides to the one request in front of
 * that person, and are no secret that would have to keep anybody out alone. 48 random bits over a million codes: no code is
 * likelier than another by more than one in 10^8.
 */
export function makeConfirmationCode(runtime: Runtime): string {
  const bytes = Buffer.from(runtime.randomBytes(6));
  return String(bytes.readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
}

/** As typed, with spaces and hyphens; without saying by its time how much of it was right. */
export function isConfirmationCode(right: string | null, given: string): boolean {
  const typed = given.replace(/[\s-]/g, '');
  if (right === null || right === '' || typed.length !== right.length) return false;
  const [a, b] = [Buffer.from(typed), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
