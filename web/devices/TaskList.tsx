import { useInfiniteQuery } from '@tanstack/react-query';
import type { DeviceTask } from '../app/contract.ts';
import { RecordLink } from '../search/RecordLink.tsx';
import { en as t } from '../texts/en.ts';
import { DataTable } from '../ui/DataTable.tsx';
import { Listed } from '../ui/Listed.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { tasksQuery } from './devices.queries.ts';

/** What the agent of a device was asked to do, newest first. */
export function TaskList({ deviceId }: { deviceId: string }) {
  const tasks = useInfiniteQuery(tasksQuery(deviceId));
  return (
    <Listed query={tasks} empty={t.tasks.none}>
      {(items) => (
        <DataTable
          label={t.tasks.list}
          rows={items}
          columns={[
            { name: t.tasks.asked, cell: (task) => <Time at={task.createdAt} /> },
            { name: t.common.state, cell: (task) => <StateBadge state={task.state} /> },
            { name: t.tasks.what, cell: whatOf },
            {
              name: t.tasks.card,
              cell: ({ card }) =>
                card === null ? (
                  '–'
                ) : (
                  <RecordLink kind="card" id={card.id}>
                    {card.serial}
                  </RecordLink>
                ),
            },
            { name: t.tasks.by, cell: (task) => task.createdBy.name },
            { name: t.tasks.outcome, cell: outcomeOf },
          ]}
        />
      )}
    </Listed>
  );
}

const whatOf = ({ kind, message }: DeviceTask) =>
  message === null ? t.tasks.kinds[kind] : `${t.tasks.kinds[kind]}: ${message}`;

function outcomeOf(task: DeviceTask) {
  if (task.state === 'failed' && task.failure !== null) return task.failure.detail ?? task.failure.code;
  if (task.finishedAt !== null) return <Time at={task.finishedAt} />;
  return task.state === 'queued' ? t.tasks.waits : t.tasks.told(task.attempts);
}
