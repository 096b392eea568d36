import { describe, expect, it } from 'vitest';
import { type UnblockApproval, unblockApprovalStatement } from './unblock-approval.ts';

const approval: UnblockApproval = {
  sessionId: '0199f2a0-8888-7000-8000-000000000008',
  nonce: new Uint8Array(32).fill(0xab),
  serial: 'CW-7K3M-92QF',
  hostName: 'laptop-7',
  requestedAt: '2026-11-20T09:00:00.000Z',
  approvingSerial: 'CW-1111-2222',
  certificateId: '0199f2a0-5555-7000-8000-000000000005',
};
const text = (of: UnblockApproval) => new TextDecoder().decode(unblockApprovalStatement(of));

describe('the statement by which a card approves the unblock of another', () => {
  it('is text that says all of it', () => {
    expect(text(approval)).toBe(
      [
        'Cardwright: another card of mine may get a new PIN, v1',
        'session 0199f2a0-8888-7000-8000-000000000008',
        `nonce ${'ab'.repeat(32)}`,
        'card CW-7K3M-92QF',
        'device laptop-7',
        'requested 2026-11-20T09:00:00.000Z',
        'approved by CW-1111-2222',
        'with certificate 0199f2a0-5555-7000-8000-000000000005',
        '',
      ].join('\n'),
    );
  });

  it.each([
    { sessionId: 'other' },
    { nonce: new Uint8Array(32) },
    { serial: 'CW-0000-0000' },
    { hostName: 'laptop-8' },
    { requestedAt: '2026-11-20T09:00:01.000Z' },
    { approvingSerial: 'CW-0000-0000' },
    { certificateId: 'other' },
  ])('is another with %j', (other) => {
    expect(text({ ...approval, ...other })).not.toBe(text(approval));
  });

  it('takes no value that makes a line of its own', () => {
    expect(() => text({ ...approval, hostName: 'laptop-7\napproved by CW-0000-0000' })).toThrow(RangeError);
  });
});
