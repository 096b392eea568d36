import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Secret } from '@cardwright/protocol';
import { makeCard } from '../card/testing/make-card.ts';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { checkIssued } from '../enrolment/certificate-check.ts';
import { certificationRequest, certificationRequestInfo } from '../enrolment/csr.ts';
import { noFaults } from '../faults.ts';
import { exampleCard } from '../store/fixture.ts';
import { lockStore } from '../store/lock.linux.ts';
import { FileMedium, openDirectory } from '../store/medium.file.ts';
import { Store } from '../store/store.ts';
import { openTpm } from '../tpm/index.ts';

/**
 * Makes a card with one P-256 key by the agent's own parts, for the bench: `card-program TCTI STORE SERIAL PIN`. Prints the
 * certification request, reads certificate and root (base64 of DER, a line each), and stores the card as `enrol` does. The
 * vault's part (make, wrap and use the administrator key) is played in this process: no server, no database.
 */
const [tcti = '', directory = '', serial = '', pin = ''] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async (): Promise<string> => String((await lines.next()).value);

openDirectory(directory);
const lock = await lockStore(directory);
const maker = tpmCardMaker(await openTpm(tcti));
try {
  const store = new Store(new FileMedium(directory, noFaults));
  const { card, record, vault } = await makeCard(maker, pin);
  const key = await maker.makeKey(record, 'ec-p256');
  const publicKey = maker.keyPublic(key);
  const { info, hash, digest } = certificationRequestInfo(publicKey, serial, 'ec-p256');
  const signature = await card.sign({ key, hash, digest, pin: Secret.fromText(pin) });
  process.stdout.write(`${Buffer.from(certificationRequest(info, 'ec-p256', signature)).toString('base64')}\n`);

  const [certificate, root] = [await nextLine(), await nextLine()];
  const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
  checkIssued({ certificate: bytes(certificate), chain: [bytes(root)], publicKey, now: new Date() });
  const base64 = (value: Uint8Array) => Buffer.from(value).toString('base64');
  const { approvedPolicy, signature: approval } = vault.approveSelfChange(record.slot);
  const stored = {
    ...exampleCard(serial),
    cardId: randomBytes(8).toString('hex'),
    slot: record.slot,
    key: { keyVersion: 1, name: Buffer.from(vault.name).toString('hex'), blob: base64(record.administratorKey) },
    selfChange: { approvedPolicy: base64(approvedPolicy), signature: base64(approval) },
    keys: [
      {
        ...{ container: 'sign-in', keyType: 'ec-p256' as const, blob: base64(key) },
        ...{ certificateId: 'bench', certificate, chain: [root] },
      },
    ],
  };
  const journal = {
    codeDigest: stored.codeDigest,
    server: stored.server,
    startedAt: stored.enrolledAt,
    state: { step: 'claiming' as const },
  };
  store.putJournal(journal, Buffer.from(record.parentName).toString('hex'));
  store.finishJournal(journal, stored);
} finally {
  await maker.close();
  lock.release();
}
