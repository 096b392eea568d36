/** What `run` needs of the machine. */
export interface ServiceHost {
  readonly agentVersion: string;
  /** Aborted by SIGTERM or SIGINT, which from the first call on do not end the process by themselves; nor does SIGUSR2. */
  stopping(): AbortSignal;
  /** While `work` runs, no other process does so for this store. Throws `agent-already-running` (conflict). */
  alone<T>(storeDirectory: string | undefined, work: () => Promise<T>): Promise<T>;
  /** Ends early when the signal is aborted; and on SIGUSR2, also one that came since the last pause: then true. */
  pause(milliseconds: number, signal: AbortSignal): Promise<boolean>;
  /** Shows it on the desktop. False where there is none, or nothing that shows. */
  notify(title: string, text: string): Promise<boolean>;
}
