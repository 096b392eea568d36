import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { CertificateAuthority } from '../app/contract.ts';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { DataTable } from '../ui/DataTable.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { authoritiesQuery } from './authorities.queries.ts';
import { CompromisedDialog } from './CompromisedDialog.tsx';

const texts = t.authorities;

/** The CAs that profiles may name: how each is, what it can, and what waits for it. */
export function AuthoritiesPage() {
  const authorities = useQuery(authoritiesQuery);
  const mayRevoke = useMay(PERMISSION.revokeCertificates);
  const [compromised, setCompromised] = useState<string | null>(null);
  return (
    <Page title={texts.title}>
      <Loaded query={authorities}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="empty">{texts.none}</p>
          ) : (
            <DataTable
              label={texts.title}
              rows={items.map((one) => ({ ...one, id: one.name }))}
              columns={[
                { name: texts.name, cell: ({ name }) => <code className="name">{name}</code> },
                { name: texts.kind, cell: ({ kind }) => (kind === null ? texts.gone : texts.kinds[kind]) },
                { name: texts.health, cell: healthOf },
                { name: texts.pending, cell: pendingOf },
                { name: texts.abilities, cell: abilitiesOf },
                {
                  name: texts.issues,
                  cell: ({ profiles }) =>
                    profiles
                      .map(
                        (kind) => t.certificateProfiles.kinds[kind as keyof typeof t.certificateProfiles.kinds] ?? kind,
                      )
                      .join(', ') || '–',
                },
                ...(mayRevoke
                  ? [
                      {
                        name: texts.act,
                        cell: ({ name, configured }: CertificateAuthority) =>
                          configured ? (
                            <Button variant="danger" onPress={() => setCompromised(name)}>
                              {texts.compromised}
                            </Button>
                          ) : (
                            '–'
                          ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Loaded>
      {compromised === null ? null : <CompromisedDialog authority={compromised} onClose={() => setCompromised(null)} />}
    </Page>
  );
}

function healthOf({ health }: CertificateAuthority) {
  return (
    <>
      <StateBadge state={health.state} />{' '}
      {health.since === null ? null : (
        <span className="soft">
          {t.certificates.since.toLowerCase()} <Time at={health.since} />
        </span>
      )}
      {health.error === null ? null : (
        <div className="soft">
          {health.error.detail} <code>{health.error.code}</code>
        </div>
      )}
    </>
  );
}

function pendingOf({ pending }: CertificateAuthority) {
  const parts = [
    pending.certificates > 0 ? texts.certificates(pending.certificates) : null,
    pending.revocations > 0 ? texts.revocations(pending.revocations) : null,
    pending.unwanted > 0 ? texts.unwanted(pending.unwanted) : null,
  ].filter((part) => part !== null);
  return parts.join(', ') || texts.nothing;
}

function abilitiesOf({ abilities: { revocation, hold } }: CertificateAuthority) {
  return (
    [revocation === null ? null : texts.revokes[revocation], hold ? texts.holds : null].filter(Boolean).join(', ') ||
    '–'
  );
}
