export interface TpmDescription {
  readonly manufacturer: string;
  readonly firmware: string;
  readonly revision: string;
}

/** A machine that an agent enrolled. Its name and TPM are its own word until attestation proves them. */
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
}
