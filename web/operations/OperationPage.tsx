import { useQuery } from '@tanstack/react-query';
import type { Operation } from '../app/contract.ts';
import { reasonText } from '../certificates/revocation-reasons.ts';
import { en as t } from '../texts/en.ts';
import { Facts } from '../ui/Facts.tsx';
import { Loaded } from '../ui/Loaded.tsx';
import { Page, Section } from '../ui/Page.tsx';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import { ItemList } from './ItemList.tsx';
import { OperationActs } from './OperationActs.tsx';
import { type ItemState, operationQuery } from './operations.queries.ts';
import { ProgressOf } from './ProgressOf.tsx';
import { selectionText } from './selection.ts';

/** A plan that can be looked at before it is run; and once it runs, how far it is. */
export function OperationPage(props: {
  operationId: string;
  state: ItemState | undefined;
  onState: (state: ItemState | undefined) => void;
}) {
  const operation = useQuery(operationQuery(props.operationId));
  return (
    <Loaded query={operation}>
      {(found) => (
        <Page title={t.operations.revocation} eyebrow={t.operations.one} aside={<StateBadge state={found.state} />}>
          {found.state === 'planned' ? <p className="lead">{t.operations.planned}</p> : null}
          <OperationActs operation={found} />
          <ProgressOf operation={found} />
          <Facts facts={factsOf(found)} />
          <Section title={t.operations.items}>
            <ItemList
              operationId={found.id}
              isRunning={found.state === 'running'}
              state={props.state}
              onState={props.onState}
            />
          </Section>
        </Page>
      )}
    </Loaded>
  );
}

function factsOf(operation: Operation) {
  const { revocationReason } = operation.input as { revocationReason?: unknown };
  return [
    [t.operations.asked, selectionText(operation.input)],
    [t.certificates.reasonPublished, typeof revocationReason === 'string' ? reasonText(revocationReason) : null],
    [t.certificates.comment, operation.reason],
    [t.common.ticket, operation.ticket],
    [t.tasks.by, operation.requestedBy.name],
    [t.common.made, <Time key="made" at={operation.createdAt} exact />],
    operation.startedAt === null
      ? ([t.operations.planUntil, <Time key="until" at={operation.expiresAt} exact />] as const)
      : ([t.operations.started, <Time key="started" at={operation.startedAt} exact />] as const),
    [
      t.operations.finished,
      operation.finishedAt === null ? null : <Time key="finished" at={operation.finishedAt} exact />,
    ],
  ] as const;
}
