import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { EventTimeline } from '../audit/EventTimeline.tsx';
import { CertificateSection } from '../certificates/CertificateSection.tsx';
import { KeyChangeList } from '../key-changes/KeyChangeList.tsx';
import { LifeCycleActs } from '../life-cycle/LifeCycleActs.tsx';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { SessionList } from '../unblock/SessionList.tsx';
import { CardActs } from './CardActs.tsx';
import { CardWarnings } from './CardWarnings.tsx';
import { cardQuery } from './cards.queries.ts';
import { LifeCycleStrip } from './LifeCycleStrip.tsx';
import './cards.css';

export function CardPage({ cardId }: { cardId: string }) {
  const card = useQuery(cardQuery(cardId));
  return (
    <Loaded query={card}>
      {(found) => (
        <Page title={found.serial} eyebrow={t.kind.card} aside={<StateBadge state={found.state} />}>
          <LifeCycleStrip state={found.state} />
          <CardWarnings card={found} />
          <CardActs card={found} />
          <LifeCycleActs subject={{ kind: 'card', id: cardId }} />
          <Section title={t.cards.facts}>
            <Facts
              facts={[
                [
                  t.cards.person,
                  <span key="person">
                    <RecordLink kind="person" id={found.person.id}>
                      {found.person.displayName}
                    </RecordLink>{' '}
                    <span className="soft">{found.person.userPrincipalName}</span>
                  </span>,
                ],
                [
                  t.cards.device,
                  found.device ? (
                    <RecordLink key="device" kind="device" id={found.device.id}>
                      {found.device.hostName}
                    </RecordLink>
                  ) : null,
                ],
                ...(['replaces', 'replacedBy'] as const).map((link): [string, ReactNode] => {
                  const other = found[link];
                  return [
                    t.reissue[link],
                    other && (
                      <RecordLink key={link} kind="card" id={other.id}>
                        {other.serial}
                      </RecordLink>
                    ),
                  ];
                }),
                [
                  t.cards.triesLeft,
                  found.triesLeft === null ? t.cards.triesUnknown : t.cards.tries(found.triesLeft, found.pinLimit),
                ],
                [t.cards.kind, t.cards.kinds[found.kind]],
                [t.cards.key, t.cards.keyFacts(found.algorithm, found.keyStrategy, found.keyVersion)],
                [t.cards.keySince, found.keyVersion === null ? null : <Time key="key" at={found.keySetAt} />],
                [t.cards.namedKey, found.namedKey],
                [t.cards.puk, found.puk === 'none' ? null : t.cards.pukStates[found.puk]],
                [t.cards.since, <Time key="since" at={found.stateChangedAt} />],
                [t.common.made, <Time key="made" at={found.createdAt} />],
              ]}
            />
          </Section>
          <CertificateSection filter={{ cardId }} omit={['card', 'person', 'device']} />
          <Section title={t.unblock.sessions}>
            <SessionList cardId={cardId} />
          </Section>
          <Section title={t.keyChanges.list}>
            <KeyChangeList cardId={cardId} />
          </Section>
          <EventTimeline filter={{ cardId }} />
        </Page>
      )}
    </Loaded>
  );
}
