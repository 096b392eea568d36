import type { Card } from '../app/contract.ts';
import { CardWarnings } from '../cards/CardWarnings.tsx';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';

/** What the operator compares with what the caller says before anything is answered. */
export function CardFacts({ card }: { card: Card }) {
  return (
    <>
      <p className="lead">{t.unblock.cardLead}</p>
      <p className="code-large">{card.serial}</p>
      <CardWarnings card={card} />
      <Facts
        facts={[
          [t.cards.person, `${card.person.displayName} (${card.person.userPrincipalName})`],
          [t.cards.device, card.device?.hostName],
          [t.common.state, <StateBadge key="state" state={card.state} />],
          [t.cards.triesLeft, card.triesLeft],
        ]}
      />
      <p className="hint">
        {t.unblock.notThisCard}{' '}
        <RecordLink kind="person" id={card.personId}>
          {t.unblock.otherCards(card.person.displayName)}
        </RecordLink>
      </p>
    </>
  );
}
