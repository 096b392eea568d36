import { main } from './main.ts';

/** The launcher alone, for what is built and installed already (`npm start` does that first). */
process.exitCode = await main(process.argv.slice(2));
