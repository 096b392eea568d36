import type { Facts } from './facts.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** A store is a few megabytes at most, and is replaced by a whole new one beside it. */
const ROOM_BYTES = 64 * 1024 * 1024;

/** The agent's memory on this device. */
export function storeFindings({ store, tpm }: Pick<Facts, 'store' | 'tpm'>): Finding[] {
  const { directory } = store;
  if (store.problem !== null) {
    return [
      problem('store', store.problem.detail, ADVICE[store.problem.code] ?? 'Put that right; then run this again.'),
    ];
  }
  if (!store.exists) return [ok('store', `There is no store in ${directory} yet: the first enrolment makes it.`)];
  const findings = [ok('store', `${directory} holds ${counted(store.cards, 'card')}, and is closed to others.`)];
  if (store.unfinished > 0) {
    findings.push(
      warning(
        'enrolments',
        `${counted(store.unfinished, 'enrolment')} not finished.`,
        'See cardwright-agent list; run enrol with the same code again, or destroy the card.',
      ),
    );
  }
  if (store.lockedBy !== null) {
    findings.push(
      warning(
        'store-lock',
        `Another cardwright-agent (process ${store.lockedBy}) is changing the store now.`,
        'Wait until it is done; if it asks for a PIN somewhere, answer or end it.',
      ),
    );
  }
  if (store.freeBytes !== null && store.freeBytes < ROOM_BYTES) {
    findings.push(
      problem(
        'disk',
        `Only ${Math.floor(store.freeBytes / 1024 / 1024)} MB are free where the store is.`,
        'Free space.',
      ),
    );
  }
  const made = tpm.answers ? tpm.facts.storageKey : null;
  const bound = store.storageKeyName;
  // With the owner's password set, or another key made persistent since, the TPM may still be the same one.
  if (made !== null && made.name !== null && bound !== null && bound !== made.name && store.cards > 0) {
    findings.push(
      problem(
        'store-device',
        'The cards of this store were made under another storage key: another TPM, or this one before it was cleared.',
        'See cardwright-agent status; cards that are gone are to be retired by an operator, and enrolled anew into another store.',
      ),
    );
  }
  return findings;
}

const ADVICE: Readonly<Record<string, string>> = {
  'store-of-another-user': 'Run as that user, or name another store with --store.',
  'store-open-to-others': 'If somebody else may have read it: have its cards retired, and enrol anew.',
  'store-damaged': 'Restore store.json from a backup, or move it away and enrol again.',
  'store-of-newer-version': 'Update cardwright-agent.',
  'store-unreadable': 'Look at the rights of the directory and those above it.',
};

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
