import type { ImportableAlgorithm } from './operations.ts';

/** Known answers, all hex, each with where it comes from. */
export const vectors: {
  readonly challengeResponse: readonly {
    readonly source: string;
    readonly algorithm: ImportableAlgorithm;
    readonly key: string;
    readonly challenge: string;
    readonly answer: string;
    readonly kcv?: string;
  }[];
  readonly derivation: {
    readonly source: string;
    readonly key: string;
    readonly fixedData: string;
    readonly derived: string;
  };
  readonly cmac: readonly {
    readonly source: string;
    readonly key: string;
    readonly message: string;
    readonly mac: string;
  }[];
  readonly an10922: readonly {
    readonly source: string;
    readonly algorithm: ImportableAlgorithm;
    readonly master: string;
    readonly diversifier: string;
    readonly key: string;
  }[];
  readonly hmac: { readonly source: string; readonly key: string; readonly data: string; readonly mac: string };
} = {
  challengeResponse: [
    {
      source: "TDES, Microsoft's published sample (MIM REST)",
      algorithm: 'tdes',
      key: '000000000000000000000000000000000000000000000000',
      challenge: 'D61143F9CCFFD2CA',
      answer: '17466E766E303CB6',
    },
    {
      source: 'TDES, well-known default administrator key, first vector',
      algorithm: 'tdes',
      key: '010203040506070801020304050607080102030405060708',
      challenge: '0123456789ABCDEF',
      answer: '19C7588F0C2B7383',
      kcv: 'B073DC',
    },
    {
      source: 'TDES, well-known default administrator key, second vector',
      algorithm: 'tdes',
      key: '010203040506070801020304050607080102030405060708',
      challenge: '0011223344556677',
      answer: '26604D88E55BD3E7',
    },
    {
      source: 'AES-128, FIPS 197 appendix C.1',
      algorithm: 'aes-128',
      key: '000102030405060708090a0b0c0d0e0f',
      challenge: '00112233445566778899aabbccddeeff',
      answer: '69c4e0d86a7b0430d8cdb78070b4c55a',
    },
    {
      source: 'AES-192, FIPS 197 appendix C.2',
      algorithm: 'aes-192',
      key: '000102030405060708090a0b0c0d0e0f1011121314151617',
      challenge: '00112233445566778899aabbccddeeff',
      answer: 'dda97ca4864cdfe06eaf70a0ec0d7191',
    },
    {
      source: 'AES-256, FIPS 197 appendix C.3',
      algorithm: 'aes-256',
      key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
      challenge: '00112233445566778899aabbccddeeff',
      answer: '8ea2b7ca516745bfeafc49904b496089',
    },
  ],
  derivation: {
    source: 'SP 800-108 counter mode, HMAC-SHA-256, NIST CAVP (r = 32 before the fixed data)',
    key: 'dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0',
    fixedData:
      '01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b864a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac',
    derived: '10621342bfb0fd40046c0e29f2cfdbf0',
  },
  cmac: [
    {
      source: 'AES-CMAC, RFC 4493 section 4, example 1 (no bytes)',
      key: '2b7e151628aed2a6abf7158809cf4f3c',
      message: '',
      mac: 'bb1d6929e95937287fa37d129b756746',
    },
    {
      source: 'AES-CMAC, RFC 4493 section 4, example 2 (16 bytes)',
      key: '2b7e151628aed2a6abf7158809cf4f3c',
      message: '6bc1bee22e409f96e93d7e117393172a',
      mac: '070a16b46b4d4144f79bdd9dd04a287c',
    },
    {
      source: 'AES-CMAC, RFC 4493 section 4, example 3 (40 bytes)',
      key: '2b7e151628aed2a6abf7158809cf4f3c',
      message: '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411',
      mac: 'dfa66747de9ae63030ca32611497c827',
    },
  ],
  an10922: [
    {
      source: 'AN10922 section 2.2.1, AES-128',
      algorithm: 'aes-128',
      master: '00112233445566778899aabbccddeeff',
      diversifier: '04782e21801d803042f54e585020416275',
      key: 'a8dd63a3b89d54b37ca802473fda9175',
    },
    {
      source: 'AN10922 section 2.3.1, AES-192',
      algorithm: 'aes-192',
      master: '00112233445566778899aabbccddeeff0102030405060708',
      diversifier: '04782e21801d803042f54e585020416275',
      key: 'ce39c8e1cd82d9a7bedbe9d74af59b23176755ee7586e12c',
    },
    {
      source: 'AN10922 section 2.4.1, AES-256',
      algorithm: 'aes-256',
      master: '00112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f00',
      diversifier: '04782e21801d803042f54e585020416275',
      key: '4fc6eec820b4c54314990b8611662db695e7880982c0001e6067488346100aed',
    },
  ],
  hmac: {
    source: 'HMAC-SHA-256, RFC 4231 section 4.3 (test case 2)',
    key: '4a656665',
    data: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
};
