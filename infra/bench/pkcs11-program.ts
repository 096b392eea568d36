import { createRequire } from 'node:module';
import { inRepository } from '../repository/root.ts';

/**
 * tpm2-pkcs11 in one process that stays: `pkcs11-program MODULE PIN OTHER COUNT` prints the milliseconds of so many C_Sign
 * after one C_Login, and of so many C_SetPIN, as JSON.
 */
const [module = '', pin = '', other = '', times = '0'] = process.argv.slice(2);
const require = createRequire(inRepository('services', 'vault', 'package.json'));
const pkcs11 = require('pkcs11js');
const { CKF_SERIAL_SESSION, CKF_RW_SESSION, CKU_USER, CKA_CLASS, CKO_PRIVATE_KEY, CKM_ECDSA } = pkcs11;
const library = new pkcs11.PKCS11();
library.load(module);
library.C_Initialize();
const [slot] = library.C_GetSlotList(true);
const session = library.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION);
library.C_Login(session, CKU_USER, pin);
library.C_FindObjectsInit(session, [{ type: CKA_CLASS, value: CKO_PRIVATE_KEY }]);
const key = library.C_FindObjects(session);
library.C_FindObjectsFinal(session);

const each = (act: (round: number) => void): number[] =>
  Array.from({ length: Number(times) }, (_, round) => {
    const began = performance.now();
    act(round);
    return performance.now() - began;
  });
const signing = each(() => {
  library.C_SignInit(session, { mechanism: CKM_ECDSA }, key);
  library.C_Sign(session, Buffer.alloc(32, 7), Buffer.alloc(64));
});
const changing = each((round) => {
  const [old, fresh] = round % 2 === 0 ? [pin, other] : [other, pin];
  library.C_SetPIN(session, old, fresh);
});
process.stdout.write(JSON.stringify({ signing, changing }));
library.C_Finalize();
