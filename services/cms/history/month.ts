/** Months of UTC, as text: 2027-11. */
export type Month = string;

export const MONTH_FORM = '^20\\d\\d-(0[1-9]|1[0-2])$';

export const monthOf = (time: Date): Month => time.toISOString().slice(0, 7);

export function monthAfter(month: Month, months = 1): Month {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return monthOf(new Date(Date.UTC(year, number - 1 + months)));
}

/** From its first moment to that of the next one. */
export function spanOf(month: Month): { readonly from: Date; readonly before: Date } {
  return { from: new Date(`${month}-01T00:00:00Z`), before: new Date(`${monthAfter(month)}-01T00:00:00Z`) };
}
