import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { EventTimeline } from '../audit/EventTimeline.tsx';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { certificateQuery } from './certificates.queries.ts';
import { RevokeDialog } from './RevokeDialog.tsx';

export function CertificatePage({ certificateId }: { certificateId: string }) {
  const certificate = useQuery(certificateQuery(certificateId));
  const [revoking, setRevoking] = useState(false);
  return (
    <Loaded query={certificate}>
      {(found) => {
        const revoke = found.allowedActions.find(({ action }) => action === 'revoke');
        return (
          <Page
            title={found.subject ?? t.certificates.unnamed}
            eyebrow={t.kind.certificate}
            aside={<StateBadge state={found.status} />}
          >
            {revoke ? (
              <div className="actions">
                <Button variant="danger" disabledReason={revoke.disabledReason} onPress={() => setRevoking(true)}>
                  {t.certificates.revoke}
                </Button>
                <RevokeDialog certificate={found} isOpen={revoking} onClose={() => setRevoking(false)} />
              </div>
            ) : null}
            {found.revocation ? (
              <Section title={t.certificates.revocation}>
                <Facts
                  facts={[
                    [t.certificates.revokedAt, <Time key="at" at={found.revocation.revokedAt} exact />],
                    [t.certificates.revokedBy, found.revocation.requestedBy.name],
                    [
                      t.common.reason,
                      t.certificates.reasons[found.revocation.reason as keyof typeof t.certificates.reasons] ??
                        found.revocation.reason,
                    ],
                    [t.certificates.comment, found.revocation.comment],
                  ]}
                />
              </Section>
            ) : null}
            <Section title={t.certificates.facts}>
              <Facts
                facts={[
                  [
                    t.kind.person,
                    <RecordLink key="person" kind="person" id={found.person.id}>
                      {found.person.displayName}
                    </RecordLink>,
                  ],
                  [
                    t.kind.card,
                    <RecordLink key="card" kind="card" id={found.card.id}>
                      {found.card.serial}
                    </RecordLink>,
                  ],
                  [
                    t.kind.device,
                    found.device ? (
                      <RecordLink key="device" kind="device" id={found.device.id}>
                        {found.device.hostName}
                      </RecordLink>
                    ) : null,
                  ],
                  [t.certificates.container, found.container],
                  [
                    t.certificates.attestation,
                    t.certificates.attestationState(found.attestation.state, found.attestation.code),
                  ],
                  [t.certificates.notBefore, found.notBefore ? <Time key="from" at={found.notBefore} exact /> : null],
                  [t.certificates.notAfter, found.notAfter ? <Time key="to" at={found.notAfter} exact /> : null],
                  [t.certificates.issuer, found.issuer],
                  [t.certificates.serialNumber, <code key="serial">{found.serialNumber}</code>],
                  [t.certificates.thumbprint, <code key="thumbprint">{found.thumbprint}</code>],
                ]}
              />
              {found.certificate ? (
                <a
                  className="button button-secondary"
                  download={`${found.serialNumber ?? found.id}.cer`}
                  href={`data:application/pkix-cert;base64,${found.certificate}`}
                >
                  {t.certificates.download}
                </a>
              ) : null}
            </Section>
            <EventTimeline filter={{ certificateId }} />
          </Page>
        );
      }}
    </Loaded>
  );
}
