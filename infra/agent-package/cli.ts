import { main } from './main.ts';

/** The packaging alone, of what is built already (`npm run agent:package` does that first). */
process.exitCode = await main(process.argv.slice(2));
