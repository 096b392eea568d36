export type { Device, TpmDescription } from './device.ts';
export type { DeviceViews } from './ports.ts';
