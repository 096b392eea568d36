import type { Card } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import './cards.css';

type Warned = Pick<Card, 'keyStrategyWarning' | 'algorithmWarning' | 'takeOverPending' | 'state'>;

/** What is unsafe or legacy about the card's key, in the server's words: on every screen of a card. */
export function CardWarnings({ card }: { card: Warned }) {
  const waiting = card.takeOverPending && card.state === 'created' ? t.cards.takeOverPending : null;
  const warnings = [waiting, card.keyStrategyWarning, card.algorithmWarning].filter((text) => text !== null);
  if (warnings.length === 0) return null;
  return (
    <ul className="card-warnings" aria-label={t.cards.warnings}>
      {warnings.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}
