import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page } from '../ui/Page.tsx';
import { certificateProfilesQuery } from './certificate-profiles.queries.ts';

const texts = t.certificateProfiles;

/** What certificates there are to be had: the newest version of each profile. */
export function CertificateProfilesPage() {
  const profiles = useQuery(certificateProfilesQuery);
  const mayMake = useMay(PERMISSION.createProfiles);
  return (
    <Page
      title={texts.title}
      aside={
        mayMake ? (
          <Link to="/certificate-profiles/new" className="button button-primary">
            {texts.newTitle}
          </Link>
        ) : null
      }
    >
      <Loaded query={profiles}>
        {({ items }) => (
          <DataTable
            label={texts.title}
            rows={items.map((profile) => ({ ...profile, id: profile.name }))}
            columns={[
              {
                name: texts.displayName,
                cell: ({ name, displayName }) => (
                  <Link to="/certificate-profiles/$name" params={{ name }}>
                    {displayName}
                  </Link>
                ),
              },
              { name: texts.name, cell: ({ name }) => <code>{name}</code> },
              { name: texts.kind, cell: ({ kind }) => texts.kinds[kind] },
              { name: texts.version, cell: ({ version }) => version },
              { name: texts.authority, cell: ({ authority }) => authority },
              {
                name: texts.validity,
                cell: ({ validitySeconds }) => texts.days(Math.round(validitySeconds / 8_640) / 10),
              },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}
