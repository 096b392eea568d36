/**
 * Fault points: where tests let the vault, or a command of it, die, to prove that it can die there. Off unless asked for:
 *
 *     VAULT_FAULT_AT=17          die (SIGKILL, nothing flushed or closed) at the 17th point, counted from 1
 *     VAULT_FAULT_AT=keks.retire.after      die the first time at the point of that name
 *     VAULT_FAULT_HOLD=1         stop there (SIGSTOP) and not die: until SIGCONT something can happen to others
 *     VAULT_FAULT_TRACE=FILE     append the name of each point passed, a line each
 *
 * There is one before and after each call of a port whose effect another process can see.
 */
export type FaultPoint = (name: string) => void;

export const noFaults: FaultPoint = () => undefined;

export function faultPoints(
  at: string | undefined,
  trace: ((name: string) => void) | undefined,
  die: () => void,
): FaultPoint {
  if (at === undefined && trace === undefined) return noFaults;
  const nth = at !== undefined && /^\d+$/.test(at) ? Number(at) : undefined;
  let passed = 0;
  return (name) => {
    passed += 1;
    trace?.(name);
    if (nth === undefined ? name === at : passed === nth) die();
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
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      if (!methods.some((method) => method === property)) return member.bind(target);
      return async (...parameters: unknown[]) => {
        point(`${name}.${String(property)}.before`);
        const result: unknown = await Reflect.apply(member, target, parameters);
        point(`${name}.${String(property)}.after`);
        return result;
      };
    },
  });
}
