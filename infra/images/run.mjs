/**
 * Starts a process of ours in a container: `run.mjs VARIABLE entry.js [args]`. The database's password is a secret's
 * file, and the process wants a URL: it is put together here, inside the process, so that it is in no container's
 * configuration.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [variable, entry, ...args] = process.argv.slice(2);
const { DATABASE_HOST, DATABASE_ZONE, DATABASE_PASSWORD_FILE } = process.env;
const password = readFileSync(DATABASE_PASSWORD_FILE, 'utf8').trim();
const url = new URL(`postgresql://${DATABASE_HOST}/cardwright`);
url.username = `cardwright_${DATABASE_ZONE}`;
url.password = encodeURIComponent(password);
process.env[variable] = url.toString();

const file = resolve(entry);
process.argv = [process.argv[0], file, ...args];
await import(pathToFileURL(file).href);
