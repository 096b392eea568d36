import { readFileSync } from 'node:fs';
import { CONTRACT_FILE, generateContract, TYPES_FILE } from '../contract/generate.ts';
import { failed, fromComplaints, type Outcome } from './outcome.ts';

/** Whether the committed contract and its types are what the routes of cms declare today. */
export async function checkContract(): Promise<Outcome> {
  try {
    const { openapi, types } = await generateContract();
    return fromComplaints({
      'openapi.json is what the routes declare': difference(CONTRACT_FILE, openapi),
      'api.gen.ts is what openapi.json says': difference(TYPES_FILE, types),
    });
  } catch (error) {
    return failed((error as Error).message);
  }
}

function difference(file: string, wanted: string): string[] {
  const [committed, generated] = [readFileSync(file, 'utf8').split('\n'), wanted.split('\n')];
  const line = generated.findIndex((text, index) => text !== committed[index]);
  if (line === -1 && committed.length === generated.length) return [];
  const at = line === -1 ? generated.length : line;
  return [
    `${file}:${at + 1}`,
    `  committed: ${committed[at] ?? '(end of file)'}`,
    `  declared:  ${generated[at] ?? '(end of file)'}`,
    'Write it again with: npm run contract',
  ];
}
