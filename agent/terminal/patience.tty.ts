const NOTICED_MS = 1_000;
const AGAIN_MS = 15_000;

/**
 * For work that a slow TPM takes its time for: after a second the person is told that it goes on, and every quarter of a
 * minute for how long already. Nothing is said where nobody looks on (`watched`: standard error is a terminal).
 */
export async function withPatience<T>(
  what: string,
  work: Promise<T>,
  { watched, note }: { readonly watched: boolean; note(text: string): void },
): Promise<T> {
  if (!watched) return work;
  let seconds = 0;
  let timer: NodeJS.Timeout | undefined;
  const wait = (milliseconds: number): void => {
    timer = setTimeout(() => {
      seconds += milliseconds / 1000;
      note(seconds === 1 ? `${what}: a TPM may take a minute …` : `${what}: still at it after ${seconds} seconds …`);
      wait(seconds === 1 ? AGAIN_MS - NOTICED_MS : AGAIN_MS);
    }, milliseconds);
  };
  wait(NOTICED_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
