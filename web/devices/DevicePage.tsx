import { useQuery } from '@tanstack/react-query';
import { EventTimeline } from '../audit/EventTimeline.tsx';
import { CardList } from '../cards/CardList.tsx';
import { CertificateList } from '../certificates/CertificateList.tsx';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { deviceQuery } from './devices.queries.ts';

export function DevicePage({ deviceId }: { deviceId: string }) {
  const device = useQuery(deviceQuery(deviceId));
  return (
    <Loaded query={device}>
      {(found) => (
        <Page title={found.hostName} eyebrow={t.kind.device}>
          <Facts
            facts={[
              [t.devices.platform, found.platform],
              [
                t.devices.tpm,
                found.tpm ? t.devices.tpmFacts(found.tpm.manufacturer, found.tpm.firmware, found.tpm.revision) : null,
              ],
              [t.devices.lastSeen, found.lastSeenAt ? <Time key="seen" at={found.lastSeenAt} /> : t.devices.neverSeen],
              [t.devices.since, <Time key="made" at={found.createdAt} />],
            ]}
          />
          <Section title={t.certificates.list}>
            <CertificateList filter={{ deviceId }} omit={['device']} />
          </Section>
          <Section title={t.cards.list}>
            <CardList filter={{ deviceId }} omit="device" empty={t.devices.noCards} />
          </Section>
          <EventTimeline filter={{ deviceId }} />
        </Page>
      )}
    </Loaded>
  );
}
