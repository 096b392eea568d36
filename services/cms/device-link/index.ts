export {
  type CardReport,
  checkIn,
  type DeviceLinkDependencies,
  destroyCard,
  reportedDestruction,
} from './check-in.ts';
export { deviceIntentOf } from './device-intent.http.ts';
export type { LinkedDevices } from './ports.ts';
