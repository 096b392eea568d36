import { closeRunFolder, openRunFolder } from './run-folder.ts';

/** Runs once before and once after all test files of a run. PostgreSQL starts only when a test asks for a database. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await openRunFolder();
  return () => closeRunFolder(folder);
}
