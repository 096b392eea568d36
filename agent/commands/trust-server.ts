import { DomainError } from '@cardwright/protocol';
import { flag, required, text } from '../arguments.ts';
import { serverAddress } from '../server/address.ts';
import { describeCa, type ServerCa } from '../server/server-ca.ts';
import { type Context, command, deviceOptions, jsonOption } from './command.ts';

export const trustServerCommand = command({
  name: 'trust-server',
  summary: "take a server's new certificate, when its CA was changed on purpose",
  about:
    'At its enrolment a device pins the CA of its server: from then on it refuses certificates of any other CA, also of ' +
    'ones that this system trusts (server-certificate-changed). A renewed certificate of the same CA needs nothing. This ' +
    'command meets the server anew, by what this system trusts (or NODE_EXTRA_CA_CERTS), shows the new CA with the ' +
    'fingerprint of its key, and pins it. Compare the fingerprint with what whoever runs the server says.',
  options: {
    server: required('URL', 'the server, as it was given to enrol'),
    fingerprint: text('SHA256', "pin only a CA whose key has this fingerprint, and don't ask"),
    yes: flag("don't ask"),
    store: deviceOptions.store,
    ...jsonOption,
  },
  examples: [
    'cardwright-agent trust-server --server https://cards.example.org',
    'cardwright-agent trust-server --server https://cards.example.org --fingerprint 3f9a…',
  ],
  run: async (context, options) => {
    const url = serverAddress(options.server, true);
    const known = context.readStore(options.store).server(url);
    if (known === undefined) {
      throw new DomainError(
        'not-found',
        'server-unknown',
        'This store knows no such server. See: cardwright-agent list',
      );
    }
    const fresh = await context.caOfServer(url);
    if (fresh === null) {
      throw new DomainError(
        'invalid',
        'server-url-not-https',
        'Clear http has no certificate: there is nothing to trust.',
      );
    }
    const before = known.trustedCa === null ? null : describeCa(Buffer.from(known.trustedCa, 'base64'));
    const changed = before?.spkiSha256 !== fresh.spkiSha256;
    if (changed) await agree(context, options, before, fresh);
    await context.changeStore(options.store, async (store) => {
      const now = store.server(url);
      if (now === undefined) return;
      store.putServer({ ...now, trustedCa: Buffer.from(fresh.certificate).toString('base64') });
    });
    const { subject, spkiSha256 } = fresh;
    if (options.json) context.output.print(JSON.stringify({ server: url, subject, spkiSha256, changed }, null, 2));
    else context.output.print(`${url}: ${changed ? 'now' : 'still'} trusted by the CA ${subject} (${spkiSha256}).`);
  },
});

async function agree(
  context: Context,
  options: { readonly fingerprint: string | undefined; readonly yes: boolean },
  before: ServerCa | null,
  fresh: ServerCa,
): Promise<void> {
  const { output } = context;
  if (options.fingerprint !== undefined) {
    if (options.fingerprint.toLowerCase().replaceAll(':', '') === fresh.spkiSha256) return;
    throw new DomainError(
      'forbidden',
      'server-certificate-unexpected',
      `The server's CA has another fingerprint: ${fresh.spkiSha256}. Nothing was changed.`,
    );
  }
  if (options.yes) return;
  output.note(`So far: ${before === null ? 'none' : `${before.subject}\n        ${before.spkiSha256}`}`);
  output.note(`Now:    ${fresh.subject}\n        ${fresh.spkiSha256}`);
  const lines = context.lines(false);
  const typed = await lines.line('Trust this CA for the server from now on? Type yes');
  lines.close();
  if (typed?.trim().toLowerCase() === 'yes') return;
  throw new DomainError('invalid', 'confirmation-wrong', 'It was not confirmed. Nothing was changed.');
}
