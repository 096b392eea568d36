import { Link } from '@tanstack/react-router';
import type { Card, UnblockSession } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { StepFrame } from './StepFrame.tsx';

/** What became of the session, and where to go from here. */
export function ClosedStep(props: { card: Card; session: UnblockSession; onStartAgain: () => void }) {
  const { session } = props;
  return (
    <StepFrame title={session.state === 'worked' ? t.unblock.closedWorked : t.unblock.closed}>
      <p className="lead">
        <StateBadge state={session.state} /> {t.unblock.closedLead[session.state as keyof typeof t.unblock.closedLead]}
      </p>
      <div className="actions">
        <Link to="/cards/$cardId" params={{ cardId: props.card.id }} className="button button-primary">
          {t.unblock.toCard}
        </Link>
        {session.state === 'worked' ? null : <Button onPress={props.onStartAgain}>{t.unblock.startAgain}</Button>}
        <Link to="/" search={{}} className="button button-secondary">
          {t.unblock.toSearch}
        </Link>
      </div>
    </StepFrame>
  );
}
