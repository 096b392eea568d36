import type { Card } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import './cards.css';

/** What is unsafe or legacy about the card's key, in the server's words: on every screen of a card. */
export function CardWarnings({ card }: { card: Pick<Card, 'keyStrategyWarning' | 'algorithmWarning'> }) {
  const warnings = [card.keyStrategyWarning, card.algorithmWarning].filter((text) => text !== null);
  if (warnings.length === 0) return null;
  return (
    <ul className="card-warnings" aria-label={t.cards.warnings}>
      {warnings.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}
