const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** A span as a person says it, rounded up: `2 hours`, `1 day`, `45 seconds`. */
export function spanText(seconds: number): string {
  for (const [unit, size] of UNITS) {
    if (seconds >= size * 2 || seconds === size) return counted(Math.ceil(seconds / size), unit);
  }
  return counted(Math.ceil(seconds), 'second');
}

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
