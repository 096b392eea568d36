import { expect, test } from 'vitest';
import { selfChangeApproval } from './approvals.ts';
import { CARD_REFS, cardPolicies, pinIndex } from './card.ts';
import { TPM_CC } from './constants.ts';
import { sha256 } from './hashing.ts';
import { EMPTY_POLICY, policyAuthorize, policyCommandCode, policyOr } from './policies.ts';
import { MAX_SUCCESSIONS, rehearsalApproval, successionApproval, successorPolicies } from './succession.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const nameOf = (byte: number) => Uint8Array.from([0x00, 0x0b, ...new Uint8Array(32).fill(byte)]);
const [FOUNDER, SUCCESSOR] = [nameOf(0x11), nameOf(0x22)];

/** Adopted successors depend on these values for ever, as cards do on theirs (card.test.ts). */
test('policies and approvals of a successor stay what they were', () => {
  const { branches, policy } = successorPolicies(SUCCESSOR);
  expect({
    branches: branches.map(hex),
    policy: hex(policy),
    approval: hex(successionApproval(SUCCESSOR).digest),
    rehearsal: hex(rehearsalApproval().digest),
    longest: MAX_SUCCESSIONS,
  }).toMatchInlineSnapshot(`
    {
      "approval": "4cc43a87a5799bbc44faa2983ab80e375fcc117d9034ae74f983ff189d693aaf",
      "branches": [
        "3354e690a3c49a463ef293171aba89a46efe138fc9b2ff49c7919ca917cfc559",
        "48135b640fb1fec6df36289023f7ec242ef8b1613b9b028e8e5faeb048118a0f",
        "2cc1ead1804c0b47a1e83f15b201b04929c38f3ee535b502948c0548988c2de2",
      ],
      "longest": 16,
      "policy": "81a2d26157caf60760b8b4ede997fa65b5f84dc7696713e4a525d20fccf4907e",
      "rehearsal": "901d6f162ceaae6bb1d04bc28e2fa0cedeb027c930585b39f657e3e7f176194c",
    }
  `);
});

test('a successor that its predecessor approved reaches the very branch of the index', () => {
  const { branches } = cardPolicies(FOUNDER);
  // PolicyAuthorize replaces the approved policy by who approved it: the founder's own first branch.
  expect(policyAuthorize(FOUNDER, CARD_REFS.self)).toEqual(branches[0]);
  // And the successor's own successor reaches the branch S of the successor in the same way.
  expect(policyAuthorize(SUCCESSOR, CARD_REFS.self)).toEqual(successorPolicies(SUCCESSOR).branches[2]);
});

test('an approval is of one policy, and of nothing else that is approved with the same reference', () => {
  const approved = successionApproval(SUCCESSOR);
  expect(approved.approvedPolicy).toEqual(successorPolicies(SUCCESSOR).policy);
  expect(approved.digest).toEqual(sha256(approved.approvedPolicy, CARD_REFS.self));
  expect(rehearsalApproval().approvedPolicy).toEqual(policyCommandCode(EMPTY_POLICY, TPM_CC.NV_Read));
  const { writtenName } = pinIndex({ nvIndex: 0x01800000, administratorKeyName: FOUNDER });
  const digests = [approved, rehearsalApproval(), successionApproval(FOUNDER), selfChangeApproval(writtenName)].map(
    ({ digest }) => hex(digest),
  );
  expect(new Set(digests).size).toBe(4);
});

test('a successor can do what a card needs, and the branches of two successors share nothing', () => {
  const [one, other] = [successorPolicies(SUCCESSOR), successorPolicies(FOUNDER)];
  expect(one.policy).toEqual(policyOr(one.branches));
  const all = [...one.branches, ...other.branches].map(hex);
  expect(new Set(all).size).toBe(6);
});

test.each([
  ['too short', SUCCESSOR.slice(1)],
  ['too long', Uint8Array.from([...SUCCESSOR, 0])],
  ['of another hash', Uint8Array.from([0x00, 0x0c, ...SUCCESSOR.slice(2)])],
])('a Name %s is refused', (_, name) => {
  for (const act of [() => successorPolicies(name), () => successionApproval(name)]) {
    expect(act).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'tpm-name-invalid' }));
  }
});
