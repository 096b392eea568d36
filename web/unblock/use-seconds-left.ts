import { useEffect, useState } from 'react';
import { serverNow } from '../app/server-clock.ts';
import { secondsLeft } from './countdown.ts';

/** Seconds until a moment of the server's clock, counted down while the component is shown. */
export function useSecondsLeft(expiresAt: string): number {
  const [seconds, setSeconds] = useState(() => secondsLeft(expiresAt, serverNow()));
  useEffect(() => {
    const tick = () => setSeconds(secondsLeft(expiresAt, serverNow()));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [expiresAt]);
  return seconds;
}
