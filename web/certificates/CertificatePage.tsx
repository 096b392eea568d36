import { useQuery } from '@tanstack/react-query';
import { EventTimeline } from '../audit/EventTimeline.tsx';
import { en as t } from '../texts/en.ts';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { CertificateActs } from './CertificateActs.tsx';
import { CertificateFacts } from './CertificateFacts.tsx';
import { certificateQuery } from './certificates.queries.ts';
import { HoldList } from './HoldList.tsx';
import { RevocationSection } from './RevocationSection.tsx';
import { StateHistory } from './StateHistory.tsx';

export function CertificatePage({ certificateId }: { certificateId: string }) {
  const certificate = useQuery(certificateQuery(certificateId));
  return (
    <Loaded query={certificate}>
      {(found) => (
        <Page
          title={found.subject ?? t.certificates.unnamed}
          eyebrow={t.kind.certificate}
          aside={<StateBadge state={found.status} />}
        >
          <CertificateActs certificate={found} />
          {found.revocation ? <RevocationSection certificateId={certificateId} authority={found.authority} /> : null}
          <Section title={t.certificates.facts}>
            <CertificateFacts certificate={found} />
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
          <HoldList certificateId={certificateId} authority={found.authority} />
          <StateHistory certificateId={certificateId} />
          <EventTimeline filter={{ certificateId }} />
        </Page>
      )}
    </Loaded>
  );
}
