import { en as t } from '../texts/en.ts';

const SELECTS = t.operations.selects;

/** In words, what a plan was made of: `of a person, of the profile smart-card-sign-in`. */
export function selectionText(input: { readonly [key: string]: unknown }): string {
  const select: unknown = input.select;
  if (typeof select !== 'object' || select === null) return t.operations.selects.lines;
  const parts = Object.entries(select).flatMap(([name, value]) => {
    const words = SELECTS[name as keyof typeof SELECTS];
    if (words === undefined) return [];
    return [name === 'certificateProfile' || name === 'authority' ? `${words} ${String(value)}` : words];
  });
  return parts.length === 0 ? t.operations.selects.lines : parts.join(', ');
}
