export type { CertificateExpiries } from './ports.ts';
