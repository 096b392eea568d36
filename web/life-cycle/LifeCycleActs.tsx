import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Group } from 'react-aria-components/Group';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Section } from '../ui/Page.tsx';
import { LifeCycleDialog } from './LifeCycleDialog.tsx';
import { actsQuery } from './life-cycle.queries.ts';
import type { LifeCycleAct, Subject } from './subject.ts';

/** What may have happened to a card's computer, a computer or a person: for who may act on it. */
export function LifeCycleActs({ subject }: { subject: Subject }) {
  const mayAct = useMay(PERMISSION.revokeCertificates);
  const acts = useQuery({ ...actsQuery(subject), enabled: mayAct });
  const [asking, setAsking] = useState<LifeCycleAct | null>(null);
  if (!mayAct || acts.data === undefined || acts.data.items.length === 0) return null;
  // Where none of them would change anything, there is nothing to choose from. After the act that is so: its codes stay.
  if (asking === null && !acts.data.items.some(({ allowed }) => allowed)) return null;
  return (
    <Section title={t.lifeCycle.section}>
      <p className="hint">{t.lifeCycle.lead}</p>
      <Group className="actions" aria-label={t.lifeCycle.section}>
        {acts.data.items.map(({ action, disabledReason }) => (
          <Button key={action} disabledReason={disabledReason} onPress={() => setAsking(action as LifeCycleAct)}>
            {t.lifeCycle.acts[action as LifeCycleAct].button[subject.kind]}
          </Button>
        ))}
      </Group>
      {asking ? <LifeCycleDialog subject={subject} act={asking} onClose={() => setAsking(null)} /> : null}
    </Section>
  );
}
