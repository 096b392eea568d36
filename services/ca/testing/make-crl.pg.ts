import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Authority, signWith } from '../authorities/authority.ts';
import { openDatabase } from '../database.pg.ts';
import { crlStore } from '../revocation/crls.pg.ts';
import { crlPublisher } from '../revocation/publish-crl.ts';
import { CRL_SCHEDULES } from '../revocation/schedule.ts';

/**
 * `make-crl DATABASE_URL CERTIFICATE KEY OUT`: makes what CRLs of the issuing CA are due, stores them as the ca does and
 * writes the full one to a file, in a process of its own so that its time and memory can be seen. Prints milliseconds.
 */
const [databaseUrl = '', certificateFile = '', keyFile = '', out = ''] = process.argv.slice(2);
const certificate = new X509Certificate(readFileSync(certificateFile)).raw;
const authority = new Authority('issuing', certificate, signWith(createPrivateKey(readFileSync(keyFile))));
const database = openDatabase(databaseUrl, (error) => {
  throw error;
});
try {
  const began = performance.now();
  const publisher = crlPublisher({
    authority,
    shards: 1,
    baseUrl: 'http://pki.bench.example/pki',
    schedule: { ...CRL_SCHEDULES.issuing, delta: null },
    store: crlStore(database),
    now: () => new Date(),
  });
  await publisher.refresh();
  process.stdout.write(`${performance.now() - began}\n`);
  writeFileSync(out, publisher.current('issuing.crl')?.crl ?? '');
} finally {
  await database.close();
}
