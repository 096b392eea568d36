import type { Device } from './device.ts';

export interface DeviceFilters {
  /** Part of the host name. */
  readonly q?: string | undefined;
  /** The whole host name, in either case. */
  readonly hostName?: string | undefined;
}

export interface DeviceViews {
  find(deviceId: string): Promise<Device | null>;
  /** Newest first, those before the id `after`; up to `limit`. */
  list(filters: DeviceFilters, after: string | null, limit: number): Promise<Device[]>;
}
