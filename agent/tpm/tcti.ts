import { DomainError } from '@cardwright/protocol';

/** Where the TPM is. The texts are those of tpm2-tss's TCTI option, as far as we take them. */
export type Tcti =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'device'; readonly path: string };

export const DEFAULT_TCTI = 'device:/dev/tpmrm0';

/**
 * `swtpm:host=127.0.0.1,port=2321`, `swtpm:path=/run/x.sock`, `device:/dev/tpmrm0`. A software TPM is taken on the
 * loopback only: its channel is not protected, and whoever is on the way could put a TPM of his own in between.
 */
export function parseTcti(text: string): Tcti {
  if (text.length > 512) throw malformed();
  const device = /^device:(\/[^\0]+)$/.exec(text)?.[1];
  if (device !== undefined) return { kind: 'device', path: device };
  const options = /^swtpm:(.+)$/.exec(text)?.[1];
  if (options === undefined) throw malformed();
  const values = new Map<string, string>();
  for (const option of options.split(',')) {
    const [, key, value] = /^(host|port|path)=([^\0]+)$/.exec(option) ?? [];
    if (key === undefined || value === undefined || values.has(key)) throw malformed();
    values.set(key, value);
  }
  const path = values.get('path');
  if (path !== undefined) {
    if (values.size > 1 || !path.startsWith('/')) throw malformed();
    return { kind: 'unix', path };
  }
  const host = values.get('host') ?? '127.0.0.1';
  const port = Number(values.get('port') ?? '2321');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw malformed();
  if (!['127.0.0.1', 'localhost', '::1'].includes(host)) {
    const detail = 'A software TPM is taken on this machine only (127.0.0.1, ::1 or localhost).';
    throw new DomainError('invalid', 'tcti-not-local', detail);
  }
  return { kind: 'tcp', host, port };
}

function malformed(): DomainError {
  const detail =
    'Where the TPM is must read swtpm:host=127.0.0.1,port=2321 or swtpm:path=/run/tpm.sock or device:/dev/tpmrm0.';
  return new DomainError('invalid', 'tcti-malformed', detail);
}
