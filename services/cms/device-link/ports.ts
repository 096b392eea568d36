import type { Tx } from '../kernel/unit-of-work.ts';

/** A card as its own device is told of it. */
export interface DeviceCard {
  readonly cardId: string;
  readonly cardSerial: string;
  readonly state: string;
  readonly person: { readonly displayName: string; readonly userPrincipalName: string };
}

export interface LinkedDevices {
  cardsOf(deviceId: string): Promise<DeviceCard[]>;
  seen(tx: Tx, deviceId: string, at: Date): Promise<void>;
}
