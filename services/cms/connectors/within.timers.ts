import { unavailable } from './refusals.ts';

/** What `asked` gives, unless that takes too long: then who asked is told so, and the question stays open. */
export async function within<T>(asked: Promise<T>, millis: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = unavailable(`The CA has not answered within ${millis} ms; its answer is still waited for.`);
    timer = setTimeout(() => reject(error), millis);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

const BETWEEN_MILLIS = 250;

/** Does it again and again until it is done, or that takes too long: then the last error. */
export async function insist<T>(work: () => Promise<T>, millis: number): Promise<T> {
  const end = Date.now() + millis;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() + BETWEEN_MILLIS > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MILLIS));
    }
  }
}
