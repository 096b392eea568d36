import { useInfiniteQuery } from '@tanstack/react-query';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { cardsQuery } from './cards.queries.ts';

/** Cards of a person, on a device, or in a state. */
export function CardList({ filter, empty }: { filter: Parameters<typeof cardsQuery>[0]; empty: string }) {
  const cards = useInfiniteQuery(cardsQuery(filter));
  return (
    <Listed query={cards} empty={empty}>
      {(items) => (
        <DataTable
          label={t.cards.list}
          rows={items}
          columns={[
            {
              name: t.cards.serial,
              cell: (card) => (
                <RecordLink kind="card" id={card.id}>
                  {card.serial}
                </RecordLink>
              ),
            },
            { name: t.common.state, cell: (card) => <StateBadge state={card.state} /> },
            {
              name: t.cards.person,
              cell: (card) => (
                <RecordLink kind="person" id={card.person.id}>
                  {card.person.displayName}
                </RecordLink>
              ),
            },
            {
              name: t.cards.device,
              cell: (card) =>
                card.device ? (
                  <RecordLink kind="device" id={card.device.id}>
                    {card.device.hostName}
                  </RecordLink>
                ) : (
                  '–'
                ),
            },
            { name: t.cards.since, cell: (card) => <Time at={card.stateChangedAt} /> },
          ]}
        />
      )}
    </Listed>
  );
}
