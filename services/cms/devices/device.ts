export interface TpmDescription {
  readonly manufacturer: string;
  readonly firmware: string;
  readonly revision: string;
}

/** Which TPM it was proven to be. */
export interface DeviceAttestation {
  /** As its maker wrote them into the certificate. */
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  /** SHA-256 of the endorsement key's certificate, hex. */
  readonly certificateDigest: string;
  /** Name of the key by which it signs in, hex. */
  readonly attestationKeyName: string;
  readonly attestedAt: Date;
  /** When another TPM last spoke in its name; null if none did. */
  readonly tpmChangedAt: Date | null;
}

/** A machine that an agent enrolled. Its name and `tpm` are its own word; `attestation` is proven. */
export interface Device {
  readonly id: string;
  readonly hostName: string;
  readonly platform: string;
  readonly tpm: TpmDescription | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date | null;
  /** Null before the first. */
  readonly checkedInAt: Date | null;
  readonly agentVersion: string | null;
  readonly attestation: DeviceAttestation | null;
}
