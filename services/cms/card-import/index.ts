export { createImportService, type ImportService } from './import-cards.ts';
export type { CardImports } from './ports.ts';
