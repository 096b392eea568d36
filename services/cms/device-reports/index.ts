export { DeviceReportSchema, reportBody } from './device-reports.http.ts';
export { type KeepReportDependencies, keepReport } from './keep-report.ts';
export type { DeviceReports } from './ports.ts';
export { type DeviceReport, type Finding, type KeptReport, LEVELS, type Level } from './report.ts';
