import { expect, test } from 'vitest';
import { NO_SELECTION, selectionOf } from './batch-selection.ts';
import { selectionText } from './selection.ts';

const subject = { id: 'p1', title: 'Mary Major', subtitle: 'mary@example.com' };

test('nothing is sent while what is selected is not said', () => {
  expect(selectionOf(NO_SELECTION)).toBeNull();
  expect(selectionOf({ ...NO_SELECTION, by: 'profile' })).toBeNull();
  expect(selectionOf({ ...NO_SELECTION, by: 'list', list: ' \n' })).toBeNull();
});

test('each way selects by its own fields alone', () => {
  const typed = { subject, profile: 'tls-client', list: '5f\n60' };
  expect(selectionOf({ ...typed, by: 'person' })).toEqual({ personId: 'p1', certificateProfile: 'tls-client' });
  expect(selectionOf({ ...typed, by: 'card', profile: '' })).toEqual({ cardId: 'p1' });
  expect(selectionOf({ ...typed, by: 'profile' })).toEqual({ certificateProfile: 'tls-client' });
  expect(selectionOf({ ...typed, by: 'list' })).toEqual({ list: '5f\n60' });
});

test('a plan says what it was made of', () => {
  expect(selectionText({ select: { personId: 'p1', certificateProfile: 'tls-client' } })).toBe(
    'of a person, of the profile tls-client',
  );
  expect(selectionText({ lines: 3 })).toBe('on a list');
});
