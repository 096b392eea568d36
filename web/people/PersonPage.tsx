import { useQuery } from '@tanstack/react-query';
import { PERMISSION, useMay } from '../app/session.ts';
import { EventTimeline } from '../audit/EventTimeline.tsx';
import { CardList } from '../cards/CardList.tsx';
import { CertificateSection } from '../certificates/CertificateSection.tsx';
import { LifeCycleActs } from '../life-cycle/LifeCycleActs.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { EnrolmentList } from './EnrolmentList.tsx';
import { NewEnrolment } from './NewEnrolment.tsx';
import { personQuery } from './people.queries.ts';

export function PersonPage({ personId }: { personId: string }) {
  const person = useQuery(personQuery(personId));
  const mayReadEnrolments = useMay(PERMISSION.readEnrolments);
  const mayCreateEnrolments = useMay(PERMISSION.createEnrolments);
  return (
    <Loaded query={person}>
      {(found) => (
        <Page title={found.displayName} eyebrow={t.kind.person}>
          <Facts
            facts={[
              [t.people.userPrincipalName, found.userPrincipalName],
              [t.people.email, found.email],
              [t.common.made, <Time key="made" at={found.createdAt} />],
            ]}
          />
          <LifeCycleActs subject={{ kind: 'person', id: personId }} />
          <Section title={t.cards.list}>
            <CardList filter={{ personId }} omit="person" empty={t.people.noCards} />
          </Section>
          {mayReadEnrolments || mayCreateEnrolments ? (
            <Section title={t.enrolments.list}>
              {mayCreateEnrolments ? <NewEnrolment person={found} /> : null}
              {mayReadEnrolments ? <EnrolmentList personId={personId} /> : null}
            </Section>
          ) : null}
          <CertificateSection filter={{ personId }} omit={['person']} />
          <EventTimeline filter={{ personId }} />
        </Page>
      )}
    </Loaded>
  );
}
