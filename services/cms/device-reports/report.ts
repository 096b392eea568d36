/** `warning`: cards work, but something is worth doing. `problem`: cards can't be made or used on the device. */
export const LEVELS = ['ok', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

export interface Finding {
  /** What was looked at, in the agent's words: `lockout`, `nv-space`. */
  readonly check: string;
  readonly level: Level;
  readonly message: string;
  /** What to do; null where nothing is needed. */
  readonly advice: string | null;
}

/** How ready for cards a device found itself. Its own word: a device that was taken over says what it likes. */
export interface DeviceReport {
  readonly agentVersion: string;
  /** By the device's clock. */
  readonly checkedAt: Date;
  readonly tpm: { readonly manufacturer: string; readonly firmware: string; readonly revision: string } | null;
  readonly findings: readonly Finding[];
}

export interface KeptReport extends DeviceReport {
  /** The worst of its findings. */
  readonly level: Level;
  /** By our clock. */
  readonly receivedAt: Date;
}

export function worstOf(findings: readonly Finding[]): Level {
  return LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok';
}
