import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Card } from '../app/contract.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { cardsQuery } from './cards.queries.ts';

const columns: { name: string; of?: 'person' | 'device'; cell: (card: Card) => ReactNode }[] = [
  {
    name: t.cards.serial,
    cell: (card: Card) => (
      <RecordLink kind="card" id={card.id}>
        {card.serial}
      </RecordLink>
    ),
  },
  { name: t.common.state, cell: (card: Card) => <StateBadge state={card.state} /> },
  { name: t.cards.warnings, cell: (card: Card) => (card.keyStrategyWarning === null ? '–' : t.cards.unsafeKey) },
  {
    name: t.cards.person,
    of: 'person',
    cell: (card: Card) => (
      <RecordLink kind="person" id={card.person.id}>
        {card.person.displayName}
      </RecordLink>
    ),
  },
  {
    name: t.cards.device,
    of: 'device',
    cell: (card: Card) =>
      card.device ? (
        <RecordLink kind="device" id={card.device.id}>
          {card.device.hostName}
        </RecordLink>
      ) : (
        '–'
      ),
  },
  { name: t.cards.since, cell: (card: Card) => <Time at={card.stateChangedAt} /> },
];

/** Cards of a person, on a device, or in a state. */
export function CardList(props: {
  filter: Parameters<typeof cardsQuery>[0];
  empty: string;
  /** what all of them have in common needs no column */
  omit?: 'person' | 'device';
}) {
  const { filter, empty, omit } = props;
  const cards = useInfiniteQuery(cardsQuery(filter));
  return (
    <Listed query={cards} empty={empty}>
      {(items) => (
        <DataTable
          label={t.cards.list}
          rows={items}
          columns={columns.filter((column) => column.of === undefined || column.of !== omit)}
        />
      )}
    </Listed>
  );
}
