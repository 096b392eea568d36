import { en as t } from '../texts/en.ts';

/** A verification method in words; one that this console does not know, as it came. */
export function methodLabel(method: string): string {
  return t.unblock.methods[method as keyof typeof t.unblock.methods]?.label ?? method;
}
