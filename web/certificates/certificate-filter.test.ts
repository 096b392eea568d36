import { expect, test } from 'vitest';
import { certificateFilterOf } from './certificate-filter.ts';

test('filters are read from an address, and nothing else is', () => {
  expect(certificateFilterOf({ personId: ' p ', status: 'on-hold', assurance: 'high', q: 'x' })).toEqual({
    personId: 'p',
    status: 'on-hold',
    assurance: 'high',
  });
  expect(certificateFilterOf({ status: 'nothing', assurance: '', cardId: '', asOf: 7 })).toEqual({});
  expect(certificateFilterOf({ serialNumber: 'a'.repeat(201) })).toEqual({});
});
