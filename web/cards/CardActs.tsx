import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Group } from 'react-aria-components/Group';
import type { AllowedAction, Card } from '../app/contract.ts';
import { ChangeKeyDialog } from '../key-changes/ChangeKeyDialog.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { PukDialog } from './PukDialog.tsx';
import { ReissueDialog } from './ReissueDialog.tsx';
import { RetireDialog } from './RetireDialog.tsx';

/** Acts that the console can carry out. What the server allows beyond these has no screen yet. */
const KNOWN = ['unblock', 'change-administrator-key', 'reissue', 'retire', 'show-puk'] as const;
type Known = (typeof KNOWN)[number];
type Asked = Exclude<Known, 'unblock'>;

/** The acts that the server says this card has; one that is not possible is shown with the server's reason. */
export function CardActs({ card }: { card: Card }) {
  const [asking, setAsking] = useState<Asked | null>(null);
  const dialog = (act: Asked) => ({ card, isOpen: asking === act, onClose: () => setAsking(null) });
  const acts = KNOWN.flatMap((name) => card.allowedActions.filter(({ action }) => action === name));
  if (acts.length === 0) return null;
  return (
    <Group className="actions" aria-label={t.cards.acts}>
      {acts.map((act) => (
        <Act key={act.action} act={act} card={card} onAsk={setAsking} />
      ))}
      <ChangeKeyDialog {...dialog('change-administrator-key')} />
      <PukDialog {...dialog('show-puk')} />
      <ReissueDialog {...dialog('reissue')} />
      <RetireDialog {...dialog('retire')} />
    </Group>
  );
}

function Act(props: { act: AllowedAction; card: Card; onAsk: (act: Asked) => void }) {
  const action = props.act.action as Known;
  const label = t.cards.act[action];
  if (!props.act.allowed) {
    return <Button disabledReason={props.act.disabledReason ?? t.cards.actNotNow}>{label}</Button>;
  }
  if (action === 'unblock') {
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
  return <Button onPress={() => props.onAsk(action)}>{label}</Button>;
}
