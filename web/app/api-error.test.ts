import { describe, expect, it } from 'vitest';
import { ApiError, errorFromAnswer } from './api-error.ts';

describe('an answer that is not 2xx', () => {
  it('keeps the code, detail and fields of problem details', () => {
    const error = errorFromAnswer(
      422,
      {
        code: 'field-invalid',
        detail: 'One field is wrong.',
        requestId: 'r-1',
        errors: [{ pointer: '/verification/evidence', detail: 'At least 3 characters.' }],
      },
      'fallback',
    );
    expect(error).toMatchObject({
      status: 422,
      code: 'field-invalid',
      detail: 'One field is wrong.',
      requestId: 'r-1',
    });
    expect(error.field('evidence')).toBe('At least 3 characters.');
    expect(error.field('verification/evidence')).toBe('At least 3 characters.');
    expect(error.field('idence')).toBeUndefined();
  });

  it.each([['<html>bad gateway</html>'], [null], [undefined], [[]], [{ errors: 'no list' }]])(
    'has a code and a detail even for %j',
    (body) => {
      expect(errorFromAnswer(502, body, 'fallback')).toMatchObject({
        code: 'http-502',
        detail: 'fallback',
        fields: [],
      });
    },
  );

  it('knows when the outcome is unknown', () => {
    expect(new ApiError({ status: 0, code: 'server-unreachable', detail: '' }).outcomeUnknown).toBe(true);
    expect(errorFromAnswer(503, {}, '').outcomeUnknown).toBe(true);
    expect(errorFromAnswer(409, {}, '').outcomeUnknown).toBe(false);
  });

  it('reads Retry-After in seconds and ignores a date', () => {
    expect(errorFromAnswer(429, {}, '', '7').retryAfterSeconds).toBe(7);
    expect(errorFromAnswer(429, {}, '', 'Fri, 20 Nov 2026 21:00:00 GMT').retryAfterSeconds).toBeUndefined();
  });
});
