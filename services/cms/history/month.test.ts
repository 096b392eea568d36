import { expect, it } from 'vitest';
import { MONTH_FORM, monthAfter, monthOf, spanOf } from './month.ts';

it('months follow each other over the end of a year', () => {
  expect(monthOf(new Date('2027-12-31T23:59:59.999Z'))).toBe('2027-12');
  expect(monthAfter('2027-12')).toBe('2028-01');
  expect(monthAfter('2027-11', 26)).toBe('2030-01');
  expect(spanOf('2028-02')).toEqual({
    from: new Date('2028-02-01T00:00:00Z'),
    before: new Date('2028-03-01T00:00:00Z'),
  });
});

it.each(['2027-13', '2027-00', '27-01', '2027-1', '2027-01-01', ''])('%s is none', (text) => {
  expect(new RegExp(MONTH_FORM).test(text)).toBe(false);
});
