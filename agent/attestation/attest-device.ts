import { DomainError, isDomainError } from '@cardwright/protocol';
import type { DeviceAttestation, Endorsement, KeyProof, Proof, ProvenCard } from './port.ts';

type Bytes = Uint8Array;

/** Bytes are base64 text, as everywhere between agent and server. Every call may be repeated. */
export interface AttestationServer {
  beginAttestation(request: {
    readonly endorsementKey: string;
    readonly certificate: string;
    readonly chain: readonly string[];
    readonly attestationKey: string;
  }): Promise<{ attestationId: string; credentialBlob: string; secret: string; nonce: string }>;
  activateAttestation(
    attestationId: string,
    request: { readonly credential: string; readonly storageKey: string; readonly proof: TextProof },
  ): Promise<void>;
  evidenceNonce(): Promise<string>;
}

export interface TextProof {
  readonly statement: string;
  readonly signature: string;
}

/** What goes with a certificate request. */
export interface TextEvidence {
  readonly nonce: string;
  readonly key: TextProof & { readonly public: string; readonly creationData: string };
  readonly index: TextProof;
}

/**
 * Proves to the server which TPM this device is, by the first of the TPM maker's certificates that the server takes. Safe to
 * repeat. Throws `tpm-not-endorsed` (the maker put no certificate into it), the server's refusal of the last one,
 * `device-tpm-changed`, and what the ports throw.
 */
export async function attestDevice(attestation: DeviceAttestation, server: AttestationServer): Promise<void> {
  let last: DomainError | undefined;
  for (const endorsement of await attestation.endorsements()) {
    try {
      return await attestBy(endorsement, attestation, server);
    } catch (error) {
      // Another certificate of the same TPM may have another issuer.
      if (!isDomainError(error) || !mayBeOtherwise(error)) throw error;
      last = error;
    }
  }
  if (last !== undefined) throw last;
  const detail = "This TPM holds no certificate of its maker's, so that nothing vouches for it.";
  throw new DomainError('conflict', 'tpm-not-endorsed', detail);
}

/** Whether a refusal is about what the device showed, and not about its way to the server. */
export function mayBeOtherwise({ kind, code }: DomainError): boolean {
  return code !== 'device-tpm-changed' && (kind === 'unprocessable' || kind === 'conflict' || kind === 'not-found');
}

async function attestBy(
  endorsement: Endorsement,
  attestation: DeviceAttestation,
  server: AttestationServer,
): Promise<void> {
  const hidden = await server.beginAttestation({
    endorsementKey: text(endorsement.public),
    certificate: text(endorsement.certificate),
    chain: endorsement.chain.map(text),
    attestationKey: text((await attestation.identity()).public),
  });
  const credential = await attestation.activate(endorsement, {
    credentialBlob: bytes(hidden.credentialBlob),
    secret: bytes(hidden.secret),
  });
  const parent = await attestation.proveParent(bytes(hidden.nonce));
  await server.activateAttestation(hidden.attestationId, {
    credential: text(credential),
    storageKey: text(parent.public),
    proof: proofText(parent),
  });
}

/** Undefined for a key of which it can't be proven any more that it was made here. */
export async function evidenceOf(
  attestation: DeviceAttestation,
  server: Pick<AttestationServer, 'evidenceNonce'>,
  card: ProvenCard,
  key: Bytes,
): Promise<TextEvidence | undefined> {
  const nonce = await server.evidenceNonce();
  const made: KeyProof | undefined = await attestation.proveKey(card, key, bytes(nonce));
  if (made === undefined) return undefined;
  const index = await attestation.proveCard(card, bytes(nonce));
  return {
    nonce,
    key: { ...proofText(made), public: text(made.public), creationData: text(made.creationData) },
    index: proofText(index),
  };
}

const text = (value: Bytes): string => Buffer.from(value).toString('base64');
const bytes = (value: string): Bytes => new Uint8Array(Buffer.from(value, 'base64'));
const proofText = ({ statement, signature }: Proof): TextProof => ({
  statement: text(statement),
  signature: text(signature),
});
