/**
 * PINs that people choose so often that a thief with five tries begins with them: from the published counts of leaked PINs
 * and passwords (DataGenetics 2012 for digits; the yearly lists of common passwords for words). Lower case. What is a plain
 * sequence or a repetition is here as well, so that a policy may refuse common PINs and nothing else.
 */
const LISTED = `
0000 1111 2222 3333 4444 5555 6666 7777 8888 9999 1234 4321 1212 2121 1313 1004 1122 2211 2580 0852 1357 2468 1470 0741
1379 1397 7410 9630 1478 3691 2589 1590 7531 9510 0007 0070 1007 6969 4200 8520 5683 1235 1230 0123 9876 6789 5678 7890
00000 11111 12345 54321 22222 55555 12321 13579 24680 13131 12121 77777 98765 56789 90210 42069
000000 111111 222222 333333 444444 555555 666666 777777 888888 999999 123456 654321 123123 321321 121212 212121 112233
332211 123321 789456 456789 147258 258369 159753 357951 159357 741852 963852 147852 852456 102030 010203 101010 696969
131313 232323 112211 001122 100200 123654 456123 789123 147147 741741 963963 420420 007007 246810 135790 123457 987654
012345 543210 111222 222111 333222 555666 098765 567890 192837 314159 271828
1234567 7654321 1111111 7777777 12345678 87654321 11111111 00000000 88888888 12341234 11223344 44332211 12344321 13572468
12121212 147258369 963852741 123456789 987654321 111111111 1234567890 0987654321 0123456789 1122334455 1029384756
password passwort passwd passw0rd p@ssw0rd pa55word password1 password12 password123 geheim secret letmein welcome willkommen
hallo hello qwerty qwertz azerty qwertyui qwertyuiop qwerty123 qwerty1 asdfgh asdfghjk asdfghjkl yxcvbn zxcvbn zxcvbnm
qazwsx 1q2w3e 1q2w3e4r 1q2w3e4r5t q1w2e3r4 qweasd abc123 abcd1234 a1b2c3 a1b2c3d4 123abc 1a2b3c abcdef abcdefg aaaaaa
admin admin123 administrator root master monkey dragon sunshine princess football baseball soccer superman batman shadow
iloveyou ilove schatz liebling test test123 test1234 testtest changeme default letmein1 login access pincode smartcard
cardwright summer sommer winter spring autumn herbst january januar monday montag freedom michael jordan killer trustno1
`;

const COMMON: ReadonlySet<string> = new Set(LISTED.trim().split(/\s+/));

/** Also when letters are of another case, or one sign or a year stands at the end: `Sommer2024`, `Password!`. */
export function isCommonPin(pin: string): boolean {
  const plain = pin.toLowerCase();
  if (COMMON.has(plain)) return true;
  // A year of four digits: what people choose who are asked for four.
  if (/^(19|20)\d\d$/.test(plain)) return true;
  const word = plain.replace(/(19|20)\d\d$|[^\p{L}\p{N}]$/u, '');
  return word !== plain && /\p{L}/u.test(word) && COMMON.has(word);
}
