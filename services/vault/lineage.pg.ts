import type { KeyFacts } from './key-record.ts';

/** Which key a version follows, and what it was wrapped to, as the columns have it. */
export const LINEAGE_COLUMNS = [
  'parent_name',
  'predecessor',
  'generation',
  'founding_name',
  'founding_nv_index',
] as const;

/** In the order of {@link LINEAGE_COLUMNS}. */
export function lineageValues({ parentName, lineage }: Pick<KeyFacts, 'parentName' | 'lineage'>): unknown[] {
  const succession = lineage?.succession ?? null;
  return [
    parentName === null ? null : Buffer.from(parentName),
    lineage?.predecessor ?? null,
    succession?.generation ?? null,
    succession === null ? null : Buffer.from(succession.foundingName),
    succession?.nvIndex ?? null,
  ];
}

// The CHECKs of the table vouch that a succession is whole; a row altered behind them does not unseal.
export function toLineage(row: Record<string, unknown>): Pick<KeyFacts, 'parentName' | 'lineage'> {
  const { predecessor, generation } = row as { predecessor: number | null; generation: number | null };
  const foundingName = row.founding_name as Buffer | null;
  const succession =
    generation === null || foundingName === null
      ? null
      : // int8 comes as text from the driver; an NV handle fits a number.
        { generation, foundingName, nvIndex: Number(row.founding_nv_index) };
  return {
    parentName: row.parent_name as Buffer | null,
    lineage: predecessor === null ? null : { predecessor, succession },
  };
}
