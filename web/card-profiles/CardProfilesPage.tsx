import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page } from '../ui/Page.tsx';
import { cardProfilesQuery } from './card-profiles.queries.ts';

/** The kinds of cards that there are. */
export function CardProfilesPage() {
  const profiles = useQuery(cardProfilesQuery);
  const mayMake = useMay(PERMISSION.createProfiles);
  return (
    <Page
      title={t.cardProfiles.title}
      aside={
        mayMake ? (
          <Link to="/card-profiles/new" className="button button-primary">
            {t.cardProfiles.newTitle}
          </Link>
        ) : null
      }
    >
      <Loaded query={profiles}>
        {({ items }) => (
          <DataTable
            label={t.cardProfiles.title}
            rows={items.map((profile) => ({ ...profile, id: profile.name }))}
            columns={[
              {
                name: t.cardProfiles.displayName,
                cell: ({ name, displayName }) => (
                  <Link to="/card-profiles/$name" params={{ name }}>
                    {displayName}
                  </Link>
                ),
              },
              { name: t.cardProfiles.name, cell: ({ name }) => <code>{name}</code> },
              { name: t.cardProfiles.kind, cell: ({ kind }) => t.cardProfiles.kinds[kind] },
              {
                name: t.cardProfiles.keyStrategy,
                cell: ({ keyStrategy }) => t.cardProfiles.strategies[keyStrategy].label,
              },
              {
                name: t.cardProfiles.containers,
                cell: ({ containers }) => containers.map(({ container }) => container).join(', ') || '–',
              },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}
