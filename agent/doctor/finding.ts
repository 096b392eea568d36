/** `warning`: cards work, but something is worth doing. `problem`: cards can't be made or used. */
export type Level = 'ok' | 'warning' | 'problem';

export interface Finding {
  /** What was looked at; stable, for scripts. */
  readonly check: string;
  readonly level: Level;
  readonly message: string;
  /** What to do; null where nothing is needed. */
  readonly advice: string | null;
  /** The server that it is about; no other server is told. */
  readonly server: string | null;
}

export const ok = (check: string, message: string, advice: string | null = null): Finding => ({
  check,
  level: 'ok',
  message,
  advice,
  server: null,
});
export const warning = (check: string, message: string, advice: string): Finding => ({
  ...ok(check, message, advice),
  level: 'warning',
});
export const problem = (check: string, message: string, advice: string): Finding => ({
  ...ok(check, message, advice),
  level: 'problem',
});

export function worstOf(findings: readonly Finding[]): Level {
  if (findings.some(({ level }) => level === 'problem')) return 'problem';
  return findings.some(({ level }) => level === 'warning') ? 'warning' : 'ok';
}
