import { formatExactTime, formatTime } from './format.ts';

/** A moment in the operator's zone; the exact time in UTC is in its title and its machine-readable form. */
export function Time({ at, exact }: { at: string; exact?: boolean }) {
  return (
    <time dateTime={at} title={at}>
      {exact ? formatExactTime(at) : formatTime(at)}
    </time>
  );
}
