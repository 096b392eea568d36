import { useQuery } from '@tanstack/react-query';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Time } from '../ui/Time.tsx';
import { certificateProfileVersionsQuery } from './certificate-profiles.queries.ts';

const texts = t.certificateProfiles;

/** What counted when, and who said so, newest first. */
export function VersionList({ name }: { name: string }) {
  const versions = useQuery(certificateProfileVersionsQuery(name));
  return (
    <Loaded query={versions}>
      {({ items }) => (
        <DataTable
          label={texts.versions}
          rows={items.map((one) => ({ ...one, id: String(one.version) }))}
          columns={[
            { name: texts.version, cell: ({ version }) => version },
            { name: texts.since, cell: ({ createdAt }) => <Time at={createdAt} exact /> },
            { name: texts.by, cell: ({ createdBy }) => createdBy.name },
            { name: texts.displayName, cell: ({ displayName }) => displayName },
            { name: texts.authority, cell: ({ authority }) => authority },
            { name: texts.keyTypes, cell: ({ keyTypes }) => keyTypes.join(', ') },
            {
              name: texts.validity,
              cell: ({ validitySeconds }) => texts.days(Math.round(validitySeconds / 8_640) / 10),
            },
          ]}
        />
      )}
    </Loaded>
  );
}
