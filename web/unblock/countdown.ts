/** Whole seconds until a moment, never below 0. A moment that can't be read is over. */
export function secondsLeft(expiresAt: string, nowMilliseconds: number): number {
  const end = Date.parse(expiresAt);
  return Number.isNaN(end) ? 0 : Math.max(0, Math.ceil((end - nowMilliseconds) / 1000));
}

/** `14:05`; from an hour on `1:00:00`. */
export function minutesAndSeconds(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
