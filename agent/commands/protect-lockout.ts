import { DomainError } from '@cardwright/protocol';
import { text } from '../arguments.ts';
import type { Store } from '../store/store.ts';
import { command, deviceOptions, jsonOption } from './command.ts';

export const protectLockoutCommand = command({
  name: 'protect-lockout',
  summary: "put the lockout of this device's TPM under the protection of the server's vault",
  about:
    'Where the organisation wants it: sets how many wrong passwords lock the TPM and when they are forgiven, has the lockout ' +
    'reset by challenge and response from then on (reset-lockout), and sets its password to one that the vault made and ' +
    'nobody reads. Cards count for themselves and are not concerned. Refused where somebody else set a password. Done once ' +
    'a device, or after its TPM was cleared; run again, it changes nothing.',
  options: { server: text('URL', 'which server, if the store knows several'), ...deviceOptions, ...jsonOption },
  examples: ['cardwright-agent protect-lockout'],
  run: async (context, options) => {
    const known = knownServer(context.readStore(options.store), options.server);
    const outcome = await context.useLockout(options.tpm, async (lockout) => {
      const parentPublic = Buffer.from((await lockout.parent()).public).toString('base64');
      const { deviceId, authority, password, rules } = await context.server(known).protectLockout(parentPublic);
      // Stored first: a lockout that is protected must be known how to be reset.
      await context.changeStore(options.store, async (store) => {
        store.putLockout({ server: known.url, deviceId, authority });
      });
      const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
      return lockout.protect({
        authority: bytes(authority),
        password: {
          public: bytes(password.public),
          duplicate: bytes(password.duplicate),
          inSymSeed: bytes(password.inSymSeed),
          name: bytes(password.name),
        },
        rules,
      });
    });
    if (options.json) context.output.print(JSON.stringify({ server: known.url, protected: true, outcome }, null, 2));
    else if (outcome === 'done') context.output.print("The TPM's lockout was under this protection already.");
    else context.output.print("The TPM's lockout is under the protection of the server's vault.");
  },
});

function knownServer(store: Store, url: string | undefined) {
  const { servers } = store.document;
  const [first] = servers;
  const known = url === undefined ? (servers.length === 1 ? first : undefined) : servers.find((one) => one.url === url);
  if (known !== undefined) return known;
  const detail =
    servers.length === 0
      ? 'The store knows no server: enrol a card first.'
      : `Which server? --server with one of: ${servers.map((one) => one.url).join(', ')}`;
  throw new DomainError('conflict', servers.length === 0 ? 'server-unknown' : 'server-not-named', detail);
}
