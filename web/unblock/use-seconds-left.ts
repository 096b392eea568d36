import { useEffect, useState } from 'react';
import { serverNow } from '../app/server-clock.ts';
import { secondsLeft } from './countdown.ts';

/**
 * Seconds until a moment of the server's clock, counted down while the component is shown; 0 for null.
 * What is kept is the time and not the seconds: those of an earlier moment must never be taken for those of a new one.
 */
export function useSecondsLeft(expiresAt: string | null): number {
  const [now, setNow] = useState(() => serverNow());
  useEffect(() => {
    if (expiresAt === null) return;
    const tick = () => setNow(serverNow());
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [expiresAt]);
  return expiresAt === null ? 0 : secondsLeft(expiresAt, now);
}
