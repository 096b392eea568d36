import { expect, test } from 'vitest';
import { policySignedDigest, selfChangeApproval } from './approvals.ts';
import { CARD_REFS, cardKeyPolicy, cardPolicies, pinCounter, pinIndex } from './card.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const NAME = Uint8Array.from([0x00, 0x0b, ...new Uint8Array(32).fill(0x11)]);

/**
 * Cards in the field depend on these values for ever: a change here orphans them. That a TPM computes the same is tested
 * in agent/tpm.
 */
test('Names and policies of a card stay what they were', () => {
  const { branches, authPolicy } = cardPolicies(NAME);
  const index = pinIndex({ nvIndex: 0x01800000, administratorKeyName: NAME });
  expect({
    branches: branches.map(hex),
    authPolicy: hex(authPolicy),
    nvPublic: hex(index.nvPublic),
    definedName: hex(index.definedName),
    writtenName: hex(index.writtenName),
    keyPolicy: hex(cardKeyPolicy(index.writtenName)),
    selfChange: hex(selfChangeApproval(index.writtenName).approvedPolicy),
  }).toMatchInlineSnapshot(`
    {
      "authPolicy": "8cfc0ed0833a68458ecaeb20d6543af6cedcfa1074b7296000fa1848e969f6df",
      "branches": [
        "23cc83443d3ba3d2206d59977008d5b7fb7ad924eaeb1035c8373bd257828de4",
        "655df743fede64cf5b6000eba4905b95a974f333b4ba4134a4c119e7ca257b8f",
        "767c9c18b5fa131a5ab7386eab7d4c63fd94836056718529c85cc20cb15c868d",
        "47ce3032d8bad1f3089cb0c09088de43501491d460402b90cd1b7fc0b68ca92f",
        "260f357a1d2d8607b355caa57dad7136e82d21a137d6f4b9c65aff129f5fb646",
      ],
      "definedName": "000be8d7cdf943e97d3e087ebab4e171987ae9eec862af77a62f61a7f84006e53502",
      "keyPolicy": "3273b7ebd9a6b0704747b72036b526006ea2d11c6d7a6617c03a528bb819f0d2",
      "nvPublic": "01800000000b020c008800208cfc0ed0833a68458ecaeb20d6543af6cedcfa1074b7296000fa1848e969f6df0008",
      "selfChange": "616c0a1dde0419d5831fbbfb1b574a7f7bdabab4f64961e4d768467a1643698b",
      "writtenName": "000bb6c6c5a51947d2fb7f456d4cd4d7f90318dd0b0bc322af4f16258e31180a7857",
    }
  `);
});

test.each([0, 0x017fffff, 0x01c00000, 0x81000001, 1.5])('NV index %d is refused', (nvIndex) => {
  const act = () => pinIndex({ nvIndex, administratorKeyName: NAME });
  expect(act).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'nv-index-invalid' }));
});

test.each([
  ['too short', NAME.slice(1)],
  ['too long', Uint8Array.from([...NAME, 0])],
  ['of another hash', Uint8Array.from([0x00, 0x0c, ...NAME.slice(2)])],
])('a Name %s is refused', (_, administratorKeyName) => {
  const act = () => cardPolicies(administratorKeyName);
  expect(act).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'tpm-name-invalid' }));
});

test.each([
  [0, 0],
  [0, 101],
  [-1, 5],
  [0, 0xffffffff],
  [0.5, 5],
])('a counter of %d tries out of %d is refused', (pinCount, pinLimit) => {
  const act = () => pinCounter(pinCount, pinLimit);
  expect(act).toThrow(expect.objectContaining({ code: 'pin-limit-invalid' }));
});

const terms = {
  nonceTpm: new Uint8Array(16),
  expirationSeconds: 900,
  cpHash: new Uint8Array(),
  policyRef: CARD_REFS.reset,
};
test.each([
  ['nonce-invalid', { nonceTpm: new Uint8Array(15) }],
  ['nonce-invalid', { nonceTpm: new Uint8Array() }],
  ['nonce-invalid', { nonceTpm: new Uint8Array(33) }],
  ['cp-hash-invalid', { cpHash: new Uint8Array(31) }],
  ['expiration-invalid', { expirationSeconds: 0 }],
  ['expiration-invalid', { expirationSeconds: -900 }],
  ['expiration-invalid', { expirationSeconds: 86_401 }],
])('%s: terms of an answer that are not right are not digested', (code, wrong) => {
  expect(() => policySignedDigest({ ...terms, ...wrong })).toThrow(expect.objectContaining({ code }));
});

test('every term of an answer counts', () => {
  const digests = [
    terms,
    { ...terms, nonceTpm: new Uint8Array(16).fill(1) },
    { ...terms, expirationSeconds: 901 },
    { ...terms, cpHash: new Uint8Array(32) },
    { ...terms, policyRef: CARD_REFS.write },
  ].map((each) => hex(policySignedDigest(each)));
  expect(new Set(digests).size).toBe(5);
});
