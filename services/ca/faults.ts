/**
 * Fault points: where tests let the CA die, to prove that it can die there. Off unless asked for:
 *
 *     CA_FAULT_AT=17                             die (SIGKILL, nothing flushed or closed) at the 17th point, counted from 1
 *     CA_FAULT_AT=certificates.complete.before   die the first time at the point of that name
 *     CA_FAULT_TRACE=FILE                        append the name of each point passed, a line each
 *
 * There is one before and after each call of a port whose effect another process can see.
 */
export type FaultPoint = (name: string) => void;

export const noFaults: FaultPoint = () => undefined;

export function faultPoints(
  at: string | undefined,
  trace: ((name: string) => void) | null,
  die: () => void,
): FaultPoint {
  if (at === undefined && trace === null) return noFaults;
  const nth = at !== undefined && /^\d+$/.test(at) ? Number(at) : null;
  let passed = 0;
  return (name) => {
    passed += 1;
    trace?.(name);
    if (nth === null ? name === at : passed === nth) die();
  };
}

/** The same port with a point before and after each of these methods. Wraps only when fault points are on. */
export function withFaults<T extends object>(
  port: T,
  name: string,
  point: FaultPoint,
  methods: readonly (keyof T & string)[],
): T {
  if (point === noFaults) return port;
  const wrapped = methods.map((method) => {
    const inner = port[method] as (...given: unknown[]) => unknown;
    const outer = async (...given: unknown[]) => {
      point(`${name}.${method}.before`);
      const result = await inner.apply(port, given);
      point(`${name}.${method}.after`);
      return result;
    };
    return [method, outer];
  });
  return { ...port, ...Object.fromEntries(wrapped) };
}
