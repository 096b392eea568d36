import type { Tx } from '../kernel/unit-of-work.ts';
import type { KeptReport, Level } from './report.ts';

/** The last report of each device. */
export interface DeviceReports {
  find(deviceId: string): Promise<KeptReport | null>;
  /** The device is locked until the transaction ends, so that two reports at once can't be mixed. */
  levelOf(tx: Tx, deviceId: string): Promise<Level | null>;
  put(tx: Tx, deviceId: string, report: KeptReport): Promise<void>;
}
