import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, isDomainError } from '@cardwright/protocol';
import {
  MAX_REVOCATION_LIST_BYTES,
  type ParsedCertificate,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
  type Trust,
} from '@cardwright/protocol/attestation';
import type { TpmRoots } from './ports.ts';

/** All TPM makers together have some hundreds. */
const MAX_FILES = 2000;

/**
 * Roots of TPM makers from a folder: `*.pem`, `*.crt` and `*.cer` hold certificates (PEM, several in a file, or DER),
 * `*.crl` a revocation list (PEM or DER). Without a folder nobody is trusted. A file that can't be read refuses
 * everything: an operator who put a list there relies on it.
 */
export function createTpmRoots(directory: string | null, expired: Trust['expired']): TpmRoots {
  return {
    async read() {
      const roots: ParsedCertificate[] = [];
      const revocationLists: RevocationList[] = [];
      if (directory === null) return { roots, revocationLists, expired };
      for (const name of (await filesOf(directory)).slice(0, MAX_FILES)) {
        const list = /\.crl$/i.test(name);
        if (!list && !/\.(pem|crt|cer)$/i.test(name)) continue;
        try {
          const content = await readFile(join(directory, name));
          if (list) revocationLists.push(parseRevocationList(derOf(content, 'X509 CRL')[0] ?? content));
          else for (const der of derOf(content, 'CERTIFICATE')) roots.push(parseCertificate(der));
        } catch (cause) {
          throw unreadable(`${name} in the folder of TPM roots`, cause);
        }
      }
      return { roots, revocationLists, expired };
    },
  };
}

async function filesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    throw unreadable('The folder of TPM roots', cause);
  }
}

/** The parts of a PEM file, or the file itself as DER. */
function derOf(content: Buffer, label: 'CERTIFICATE' | 'X509 CRL'): Uint8Array[] {
  if (content.length > 2 * MAX_REVOCATION_LIST_BYTES) throw new RangeError('the file is too large');
  if (!content.subarray(0, 4096).includes('-----BEGIN')) return [new Uint8Array(content)];
  const parts = content
    .toString('latin1')
    .matchAll(new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, 'g'));
  return [...parts].map(([pem, body = '']) =>
    label === 'CERTIFICATE'
      ? new Uint8Array(new X509Certificate(pem).raw)
      : new Uint8Array(Buffer.from(body, 'base64')),
  );
}

function unreadable(what: string, cause: unknown): DomainError {
  const why = isDomainError(cause) ? cause.detail : cause instanceof Error ? cause.message : 'unknown error';
  return new DomainError('unavailable', 'tpm-roots-unreadable', `${what} can't be read: ${why}`, { cause });
}
