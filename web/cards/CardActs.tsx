import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Group } from 'react-aria-components/Group';
import type { AllowedAction, Card } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { PukDialog } from './PukDialog.tsx';
import { RetireDialog } from './RetireDialog.tsx';

/** Acts that the console can carry out. What the server allows beyond these has no screen yet. */
const KNOWN = ['unblock', 'retire', 'show-puk'] as const;
type Known = (typeof KNOWN)[number];

/** The acts that the server says this card has; one that is not possible is shown with the server's reason. */
export function CardActs({ card }: { card: Card }) {
  const [retiring, setRetiring] = useState(false);
  const [showing, setShowing] = useState(false);
  const acts = KNOWN.flatMap((name) => card.allowedActions.filter(({ action }) => action === name));
  if (acts.length === 0) return null;
  return (
    <Group className="actions" aria-label={t.cards.acts}>
      {acts.map((act) => (
        <Act key={act.action} act={act} card={card} onRetire={() => setRetiring(true)} onPuk={() => setShowing(true)} />
      ))}
      <PukDialog card={card} isOpen={showing} onClose={() => setShowing(false)} />
      <RetireDialog card={card} isOpen={retiring} onClose={() => setRetiring(false)} />
    </Group>
  );
}

function Act(props: { act: AllowedAction; card: Card; onRetire: () => void; onPuk: () => void }) {
  const label = t.cards.act[props.act.action as Known];
  if (!props.act.allowed) {
    return <Button disabledReason={props.act.disabledReason ?? t.cards.actNotNow}>{label}</Button>;
  }
  if (props.act.action === 'unblock') {
    return (
      <Link
        to="/cards/$cardId/unblock"
        params={{ cardId: props.card.id }}
        search={{}}
        className="button button-primary"
      >
        {label}
      </Link>
    );
  }
  return <Button onPress={props.act.action === 'retire' ? props.onRetire : props.onPuk}>{label}</Button>;
}
