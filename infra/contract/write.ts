import { writeFileSync } from 'node:fs';
import { CONTRACT_FILE, generateContract, TYPES_FILE } from './generate.ts';

/** `npm run contract`: writes what the routes declare, for the commit that changes them. */
const { openapi, types } = await generateContract();
writeFileSync(CONTRACT_FILE, openapi);
writeFileSync(TYPES_FILE, types);
process.stdout.write(`Wrote ${CONTRACT_FILE}\nWrote ${TYPES_FILE}\n`);
