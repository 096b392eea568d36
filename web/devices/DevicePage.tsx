import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Device } from '../app/contract.ts';
import { useMay } from '../app/session.ts';
import { EventTimeline } from '../audit/EventTimeline.tsx';
import { CardList } from '../cards/CardList.tsx';
import { CertificateSection } from '../certificates/CertificateSection.tsx';
import { LifeCycleActs } from '../life-cycle/LifeCycleActs.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { deviceQuery } from './devices.queries.ts';
import { LockoutDialog } from './LockoutDialog.tsx';
import { MessageDialog } from './MessageDialog.tsx';
import { Readiness } from './Readiness.tsx';
import { TaskList } from './TaskList.tsx';

/** Which TPM it was proven to be, and above all whether another one spoke in its name since. */
function attestationText(attestation: Device['attestation']): string {
  if (attestation === null) return t.devices.unattested;
  const { manufacturer, model, firmware, tpmChangedAt } = attestation;
  return tpmChangedAt === null ? t.devices.attested(manufacturer, model, firmware) : t.devices.tpmChanged(tpmChangedAt);
}

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
              [t.devices.attestation, attestationText(found.attestation)],
              [t.devices.checkedIn, found.checkedInAt ? <Time key="seen" at={found.checkedInAt} /> : t.devices.never],
              [t.devices.agent, found.agentVersion],
              [t.devices.since, <Time key="made" at={found.createdAt} />],
            ]}
          />
          <LifeCycleActs subject={{ kind: 'device', id: deviceId }} />
          <CertificateSection filter={{ deviceId }} omit={['device']} />
          <Section title={t.cards.list}>
            <CardList filter={{ deviceId }} omit="device" empty={t.devices.noCards} />
          </Section>
          <Section title={t.readiness.title} aside={<ResetLockout device={found} />}>
            <Readiness report={found.report} />
          </Section>
          <Section title={t.tasks.list} aside={<SendMessage device={found} />}>
            <TaskList deviceId={deviceId} />
          </Section>
          <EventTimeline filter={{ deviceId }} />
        </Page>
      )}
    </Loaded>
  );
}

function SendMessage({ device }: { device: Device }) {
  const [writing, setWriting] = useState(false);
  if (!useMay('devices:message')) return null;
  return (
    <>
      <Button onPress={() => setWriting(true)}>{t.tasks.send}</Button>
      <MessageDialog device={device} isOpen={writing} onClose={() => setWriting(false)} />
    </>
  );
}

function ResetLockout({ device }: { device: Device }) {
  const [answering, setAnswering] = useState(false);
  if (!useMay('unblock:perform')) return null;
  return (
    <>
      <Button onPress={() => setAnswering(true)}>{t.lockout.act}</Button>
      <LockoutDialog device={device} isOpen={answering} onClose={() => setAnswering(false)} />
    </>
  );
}
