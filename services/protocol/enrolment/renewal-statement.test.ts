import { expect, it } from 'vitest';
import { renewalProofStatement } from './renewal-statement.ts';

it('is lines of just these facts, and none of them makes another line', () => {
  const proof = {
    cardSerial: 'CW-7K3M-92QF',
    container: 'sign-in',
    replaces: '0199f2a0-5555-7000-8000-000000000005',
    requestHash: new Uint8Array(32).fill(0x12),
  };
  expect(Buffer.from(renewalProofStatement(proof)).toString('utf8')).toBe(
    'Cardwright: the next key of this card, v1\ncard CW-7K3M-92QF\ncontainer sign-in\n' +
      `replaces ${proof.replaces}\nrequest ${'12'.repeat(32)}\n`,
  );
  expect(() => renewalProofStatement({ ...proof, container: 'a\nrequest b' })).toThrow(RangeError);
});
