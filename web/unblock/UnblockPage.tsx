import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Card } from '../app/contract.ts';
import { cardQuery } from '../cards/cards.queries.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Loaded } from '../ui/Loaded.tsx';
import { Page } from '../ui/Page.tsx';
import { UnblockWizard } from './UnblockWizard.tsx';
import { unblockSessionQuery } from './unblock.queries.ts';

/** @param sessionId of a session that is open already (in the address): the wizard goes on with it */
export function UnblockPage({ cardId, sessionId }: { cardId: string; sessionId: string | undefined }) {
  const card = useQuery(cardQuery(cardId));
  // only what the page was loaded with: the session that the wizard itself opens must not start it anew
  const [loadedWith] = useState(sessionId);
  const session = useQuery({ ...unblockSessionQuery(loadedWith ?? ''), enabled: loadedWith !== undefined });
  return (
    <Page
      title={t.unblock.title}
      eyebrow={card.data ? `${card.data.serial} · ${card.data.person.displayName}` : ' '}
      focusHeading={false}
    >
      <Loaded query={card}>
        {(found) =>
          loadedWith === undefined ? (
            <NewSession card={found} />
          ) : (
            <Loaded query={session}>{(resumed) => <UnblockWizard card={found} session={resumed} />}</Loaded>
          )
        }
      </Loaded>
    </Page>
  );
}

/** The wizard from its start, unless the server says that this card can't be unblocked now. */
function NewSession({ card }: { card: Card }) {
  const [startedWith] = useState(() => card.allowedActions.find(({ action }) => action === 'unblock'));
  if (startedWith?.allowed === false) {
    return (
      <>
        <p className="empty">{startedWith.disabledReason ?? t.unblock.notNow}</p>
        <RecordLink kind="card" id={card.id}>
          {t.unblock.toCard}
        </RecordLink>
      </>
    );
  }
  return <UnblockWizard card={card} session={null} />;
}
