/**
 * Fault points: where tests let the agent die, to prove that it can die there. Off unless the environment asks:
 *
 *     CARDWRIGHT_FAULT_AT=17                 die (SIGKILL, nothing flushed or closed) at the 17th point, counted from 1
 *     CARDWRIGHT_FAULT_AT=server.claim.after die the first time at the point of that name
 *     CARDWRIGHT_FAULT_AT='store.renamed#3'  die the third time at it
 *     CARDWRIGHT_FAULT_TRACE=FILE            append the name of each point passed, a line each (to know how many there are)
 *
 * Points are named `<port>.<act>.before` and `.after` for whatever another party can see (`server`, `card`, and `tpm.run`
 * for each single command), and `store.<stage>` within a write of the store.
 */
export type FaultPoint = (name: string) => void;

export interface FaultSetting {
  readonly at: string | undefined;
  readonly trace: ((name: string) => void) | undefined;
  readonly die: () => void;
}

export const noFaults: FaultPoint = () => undefined;

export function faultPoints({ at, trace, die }: FaultSetting): FaultPoint {
  if (at === undefined && trace === undefined) return noFaults;
  const [wanted = '', times = '1'] = (at ?? '').split('#');
  const nth = /^\d+$/.test(wanted) ? Number(wanted) : undefined;
  let passed = 0;
  let matches = 0;
  return (name) => {
    passed++;
    trace?.(name);
    if (nth !== undefined ? passed === nth : name === wanted && ++matches === Number(times)) die();
  };
}

/**
 * The same port, with a point before and after each of its calls, and of the calls of objects that those give back
 * (a challenge's `finish`). Wraps only when fault points are on. `methods`: only those, if said.
 */
export function withFaults<T extends object>(port: T, name: string, point: FaultPoint, methods?: readonly string[]): T {
  if (point === noFaults) return port;
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function' || typeof property !== 'string') return member;
      if (methods !== undefined && !methods.includes(property)) return member.bind(target);
      return (...parameters: unknown[]) => {
        point(`${name}.${property}.before`);
        const result: unknown = Reflect.apply(member, target, parameters);
        const after = (value: unknown) => {
          point(`${name}.${property}.after`);
          return hasMethods(value) ? withFaults(value, `${name}.${property}`, point) : value;
        };
        return result instanceof Promise ? result.then(after) : after(result);
      };
    },
  });
}

function hasMethods(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value)) return false;
  if (Object.values(value).some((member) => typeof member === 'function')) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
