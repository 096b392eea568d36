import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { OperationItem } from '../app/contract.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { inWords } from '../ui/format.ts';
import { Listed } from '../ui/Listed.tsx';
import { SelectInput } from '../ui/SelectInput.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { type ItemState, operationItemsQuery } from './operations.queries.ts';

const texts = t.operations;
export const ITEM_STATES = ['pending', 'decided', 'done', 'failed', 'skipped'] as const satisfies readonly ItemState[];

/** What a plan is about, in its order, and what became of each. */
export function ItemList(props: {
  operationId: string;
  isRunning: boolean;
  state: ItemState | undefined;
  onState: (state: ItemState | undefined) => void;
}) {
  const items = useInfiniteQuery(operationItemsQuery(props.operationId, props.state, props.isRunning));
  const { refetch } = items;
  const wasRunning = useRef(props.isRunning);
  useEffect(() => {
    // What was last asked for while it ran is older than its end.
    if (wasRunning.current && !props.isRunning) void refetch();
    wasRunning.current = props.isRunning;
  }, [props.isRunning, refetch]);
  return (
    <>
      <div className="choose">
        <SelectInput
          label={texts.show}
          value={props.state ?? ''}
          options={[
            { value: '', label: texts.showAll },
            ...ITEM_STATES.map((value) => ({ value, label: t.state[value] })),
          ]}
          onChange={(chosen) => props.onState(ITEM_STATES.find((one) => one === chosen))}
        />
      </div>
      <Listed query={items} empty={texts.noItems}>
        {(found) => (
          <DataTable
            label={texts.items}
            rows={found.map((one) => ({ ...one, id: String(one.position) }))}
            columns={[
              { name: texts.position, cell: ({ position }) => position },
              { name: t.common.state, cell: ({ state }) => <StateBadge state={state} /> },
              { name: t.certificates.serialNumber, cell: serialOf },
              { name: t.kind.person, cell: ({ certificate }) => certificate?.subject ?? '–' },
              {
                name: t.kind.card,
                cell: ({ certificate }) =>
                  certificate ? (
                    <RecordLink kind="card" id={certificate.cardId}>
                      {t.kind.card}
                    </RecordLink>
                  ) : (
                    '–'
                  ),
              },
              { name: t.certificates.authority, cell: ({ certificate }) => certificate?.authority ?? '–' },
              { name: texts.code, cell: ({ code }) => (code === null ? '–' : inWords(code)) },
            ]}
          />
        )}
      </Listed>
    </>
  );
}

function serialOf({ certificate, line }: OperationItem) {
  if (certificate === null) return <code>{line}</code>;
  return (
    <RecordLink kind="certificate" id={certificate.id} className="code">
      {certificate.serialNumber ?? t.certificates.noSerial}
    </RecordLink>
  );
}
