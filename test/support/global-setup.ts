import { closeRunFolder, openRunFolder } from './run-folder.ts';

let opened: Promise<string> | null = null;

/**
 * Runs before and after all test files of a run: vitest calls it once a project, and the first call counts. PostgreSQL
 * starts only when a test asks for a database.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (opened !== null) return async () => undefined;
  opened = openRunFolder();
  const folder = await opened;
  return () => closeRunFolder(folder);
}
