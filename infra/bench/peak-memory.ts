import { readFileSync } from 'node:fs';

/** The most memory a process has had so far, in KB: the kernel keeps the peak. 0 where it has ended. */
export function peakMemory(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Of a process that ends by itself: what was read last, shortly before its end, is it. @returns KB, and stops looking. */
export function watchMemory(pid: number | undefined): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakMemory(pid));
  }, 50);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
