import { useQuery } from '@tanstack/react-query';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Section } from '../ui/Page.tsx';
import { Time } from '../ui/Time.tsx';
import { revocationQuery } from './certificates.queries.ts';
import { reasonText } from './revocation-reasons.ts';
import { Telling } from './Telling.tsx';

/** Who revoked a certificate, why, and whether its CA has heard of it. */
export function RevocationSection({ certificateId, authority }: { certificateId: string; authority: string }) {
  const revocation = useQuery(revocationQuery(certificateId));
  return (
    <Section title={t.certificates.revocation}>
      <Loaded query={revocation}>
        {(found) => (
          <Facts
            facts={[
              [t.certificates.revokedAt, <Time key="at" at={found.revokedAt} exact />],
              [t.certificates.revokedBy, found.requestedBy.name],
              [t.common.reason, reasonText(found.reason)],
              [t.certificates.comment, found.comment],
              [t.common.ticket, found.ticket],
              [
                t.certificates.invalidityDate,
                found.invalidityDate && <Time key="invalid" at={found.invalidityDate} exact />,
              ],
              [t.certificates.ca, <Telling key="told" told={found} authority={authority} />],
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}
