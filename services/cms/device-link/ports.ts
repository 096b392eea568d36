import type { Tx } from '../kernel/unit-of-work.ts';

/** A card as its own device is told of it. */
export interface DeviceCard {
  readonly cardId: string;
  readonly cardSerial: string;
  readonly state: string;
  readonly person: { readonly displayName: string; readonly userPrincipalName: string };
}

/** What an agent says of itself and its TPM when it checks in. */
export interface AgentFacts {
  readonly agentVersion?: string | undefined;
  readonly tpm?: { readonly manufacturer: string; readonly firmware: string; readonly revision: string } | undefined;
}

export interface LinkedDevices {
  cardsOf(deviceId: string): Promise<DeviceCard[]>;
  /** Holds the device until the transaction ends: of two check-ins at once, one waits for the other. */
  checkedIn(tx: Tx, deviceId: string, at: Date, facts: AgentFacts): Promise<void>;
}
